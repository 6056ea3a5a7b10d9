import Inference
import VulkanCompute

/// A product with the norm that makes its input, or with what gates its second half by its first, or both, as one launch.
struct JoinedProduct {
    var norm: RMSNorm?
    var product: Linear
    var gate: SwiGLU?
    /// How many ops of the list this is.
    var opCount: Int { 1 + (norm == nil ? 0 : 1) + (gate == nil ? 0 : 1) }

    /// The ops at the start of `ops`; nil where they are others, or a product that stands alone.
    init?(_ ops: ArraySlice<Op>) {
        var rest = ops
        if case .rmsNorm(let norm)? = rest.first {
            self.norm = norm
            rest.removeFirst()
        }
        guard case .linear(let product)? = rest.first else { return nil }
        self.product = product
        if let norm {
            guard norm.output == product.input, norm.groups == 1, product.input.batch == 1,
                norm.input.tensor != product.output.tensor
            else { return nil }
        }
        if case .swiGLU(let gate)? = rest.dropFirst().first, gate.input == product.output, product.output.batch == 1,
            product.bias == nil, product.residual == nil, product.activation == .none
        {
            self.gate = gate
        }
        guard opCount > 1 else { return nil }
    }
}

extension DispatchEncoder {
    /// - Returns: nil where an op's result is needed elsewhere too, the kernel for so many tokens takes no norm, or the weight
    ///   of a gated product can't be bound as a whole.
    func encode(_ joined: JoinedProduct) throws -> [Dispatch]? {
        var product = joined.product
        if let norm = joined.norm {
            guard isReadOnce(norm.output), tile(info(product.weight), tokens: product.input.rows).takesNorm else {
                return nil
            }
            product.input = norm.input
        }
        if let gate = joined.gate {
            guard isReadOnce(product.output), try windows(product.weight, .read).count == 1 else { return nil }
            product.output = gate.output
        }
        return try encode(product, norm: joined.norm, isGated: joined.gate != nil)
    }

    private func isReadOnce(_ view: TensorView) -> Bool {
        info(view.tensor).isScratch && readCounts[view.tensor.id] == 1
    }
}

extension Graph {
    /// The ops that may run as one `JoinedProduct`.
    var joinedProducts: [Range<Int>] {
        var ranges: [Range<Int>] = []
        for index in ops.indices where index >= ranges.last?.upperBound ?? 0 {
            guard let joined = JoinedProduct(ops[index...]) else { continue }
            ranges.append(index..<index + joined.opCount)
        }
        return ranges
    }
}
