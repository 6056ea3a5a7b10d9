import Testing

/// The shape of a product: of `[batch, tokens, inputs]` with `[batch, outputs, inputs]`.
struct ProductShape: CustomTestStringConvertible {
    var batch = 1
    var tokens: Int
    var inputs: Int
    var outputs: Int

    var testDescription: String { "\(batch)x [\(tokens), \(inputs)] -> \(outputs)" }
}
