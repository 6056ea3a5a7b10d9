import Inference
import VulkanCompute

/// A product that is followed by what gates its second half by its first, as one launch.
struct GatedProduct {
    var product: Linear
    var gate: SwiGLU
    /// How many ops of the list this is.
    static let opCount = 2

    /// The ops at the start of `ops`; nil where they are others, or the product is more than a product.
    init?(_ ops: ArraySlice<Op>) {
        guard case .linear(let product)? = ops.first, case .swiGLU(let gate)? = ops.dropFirst().first,
            gate.input == product.output, product.output.batch == 1, product.bias == nil, product.residual == nil,
            product.activation == .none
        else { return nil }
        self.product = product
        self.gate = gate
    }
}

extension DispatchEncoder {
    /// - Returns: nil where the product is needed elsewhere too, or its weight can't be bound as a whole.
    func encode(_ gated: GatedProduct) throws -> [Dispatch]? {
        let ungated = gated.product.output.tensor
        guard info(ungated).storage == .scratch, graph.ops.count(where: { $0.reads.contains(ungated) }) == 1,
            try windows(gated.product.weight, .read).count == 1
        else { return nil }
        var product = gated.product
        product.output = gated.gate.output
        return try encode(product, isGated: true)
    }
}

extension Graph {
    /// The ops that may run as one `GatedProduct`.
    var gatedProducts: [Range<Int>] {
        ops.indices.filter { GatedProduct(ops[$0...]) != nil }.map { $0..<$0 + GatedProduct.opCount }
    }
}
