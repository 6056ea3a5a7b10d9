import Inference
import VulkanCompute

extension MatrixUnits {
    /// Whether they give what the other kernels give: shapes and drivers are many, and a wrong number would be seen by nobody.
    ///
    /// Attention has a check of its own: it loads matrices in orders, and reads and rewrites sums, as products don't.
    static func multiplyRight(on device: Device) -> Bool {
        guard let units = MatrixUnits(of: device.description) else { return false }
        do {
            // With each tile.
            return try [1, units.fewestWideGroups].allSatisfy { batch in
                try agree(within: productTolerance) { try product(on: device, batch: batch, matrixUnits: $0) }
            } && agree(within: attentionTolerance) { try attention(on: device, matrixUnits: $0) }
        } catch {
            return false
        }
    }

    private static func agree(within tolerance: Float, _ run: (_ matrixUnits: Bool) throws -> [Float]) throws -> Bool {
        let (found, expected) = (try run(true), try run(false))
        return zip(found, expected).allSatisfy { abs($0 - $1) < tolerance }
    }

    /// Of weights and values. So half of them are below the least normal float16, 2^-14, which some units might take as zero.
    private static let scale: Float = 0x1p-13
    /// Sums of 72 terms below `scale`: float32 resolves them that well, without the rests of float16 they are ten times as far off.
    private static let productTolerance = scale * 5e-5
    /// Means of up to 70 values below `scale`: they agree to 1e-6 of it, without the rests of queries or of probabilities they are
    /// at least ten times as far off as this.
    private static let attentionTolerance = scale * 1e-5

    private static func product(on device: Device, batch: Int, matrixUnits: Bool) throws -> [Float] {
        let backend = backend(on: device, matrixUnits: matrixUnits)
        let (tokens, inputs, outputs) = (70, 72, 80)
        func random(
            _ name: String, _ rows: Int, _ columns: Int, _ type: ElementType, scale: Float
        ) throws -> any StoredTensor {
            let shape = TensorShape(batch: batch, rows: rows, columns: columns)
            return try backend.makeRandomTensor(name, shape, type, seed: 1, scale: scale)
        }
        let input = try random("input", tokens, inputs, .f32, scale: 1)
        let weight = try random("weight", outputs, inputs, .f16, scale: scale)
        let output = try random("output", tokens, outputs, .f32, scale: 1)
        var graph = Graph(name: "matrix units")
        graph.add(
            .linear(
                Linear(
                    input: graph.boundView(input), weight: graph.bound(weight), activation: .none,
                    output: graph.boundView(output))))
        return try result(of: graph, in: output, on: backend)
    }

    /// With rows that see from one key to several blocks of them.
    private static func attention(on device: Device, matrixUnits: Bool) throws -> [Float] {
        let backend = backend(on: device, matrixUnits: matrixUnits)
        let (tokens, headDim) = (70, 72)
        func random(_ name: String, _ type: ElementType, seed: UInt32, scale: Float = 1) throws -> any StoredTensor {
            let shape = TensorShape(rows: tokens, columns: headDim)
            return try backend.makeRandomTensor(name, shape, type, seed: seed, scale: scale)
        }
        let queries = try random("queries", .f32, seed: 1)
        let keys = try random("keys", .f16, seed: 2)
        let values = try random("values", .f16, seed: 3, scale: scale)
        let position = try backend.makeTensor("position", TensorShape(columns: 1), .u32, placement: .device)
        let output = try random("output", .f32, seed: 4)
        var graph = Graph(name: "matrix units")
        graph.add(
            .attention(
                Attention(
                    queries: graph.boundView(queries), keys: graph.bound(keys), values: graph.bound(values), heads: 1,
                    scale: 1, position: graph.boundView(position), output: graph.boundView(output))))
        return try result(of: graph, in: output, on: backend)
    }

    private static func backend(on device: Device, matrixUnits: Bool) -> VulkanBackend {
        var options = VulkanBackendOptions()
        options.loadsByLane = false
        options.matrixUnits = matrixUnits
        return VulkanBackend(device, options: options)
    }

    /// What a graph leaves in a tensor.
    private static func result(
        of graph: Graph, in output: any StoredTensor, on backend: VulkanBackend
    ) throws -> [Float] {
        try backend.execute(try backend.compile(graph), inputs: [], phase: .decode)
        return try backend.read(output)
    }
}
