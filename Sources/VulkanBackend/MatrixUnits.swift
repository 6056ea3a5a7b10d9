import Inference
import VulkanCompute

/// A device's matrix units (`VK_NV_cooperative_matrix`), which products of many tokens run on.
enum MatrixUnits {
    /// Whether the device has what the kernels with tile M64x64 are written for.
    static func exist(on device: DeviceDescription) -> Bool {
        let (features, limits) = (device.features, device.limits)
        let hasShape = device.cooperativeMatrixShapes.contains { shape in
            shape.isNV && (shape.m, shape.n, shape.k) == (16, 16, 16) && shape.a == .float16 && shape.b == .float16
                && shape.c == .float32 && shape.result == .float32
        }
        return hasShape && features.float16 && features.vulkanMemoryModel && limits.minSubgroupSize == 32
            && limits.maxSubgroupSize == 32 && limits.maxComputeSharedMemorySize >= 33 << 10
            && EmbeddedShaders["linear TYPE=F16 TILE=M64x64"] != nil
    }

    /// Whether they give the product that the other kernels give: shapes and drivers are many, and a wrong number would be
    /// seen by nobody.
    static func multiplyRight(on device: Device) -> Bool {
        do {
            let products = try [true, false].map { try product(on: device, matrixUnits: $0) }
            // Sums of 72 terms below 1: float32 resolves them to some 1e-5.
            return zip(products[0], products[1]).allSatisfy { abs($0 - $1) < 1e-3 }
        } catch {
            return false
        }
    }

    private static func product(on device: Device, matrixUnits: Bool) throws -> [Float] {
        var options = VulkanBackendOptions()
        options.matrixUnits = matrixUnits
        let backend = VulkanBackend(device, options: options)
        let (tokens, inputs, outputs) = (70, 72, 80)
        func random(_ name: String, _ rows: Int, _ columns: Int, _ type: ElementType) throws -> any StoredTensor {
            try backend.makeRandomTensor(name, TensorShape(rows: rows, columns: columns), type, seed: 1, scale: 1)
        }
        let input = try random("input", tokens, inputs, .f32)
        let weight = try random("weight", outputs, inputs, .f16)
        let output = try random("output", tokens, outputs, .f32)
        var graph = Graph(name: "matrix units")
        graph.add(
            .linear(
                Linear(
                    input: graph.boundView(input), weight: graph.bound(weight), activation: .none,
                    output: graph.boundView(output))))
        let bindings = [input, weight, output]
        let plan = try backend.compile(
            graph, bindings: Dictionary(uniqueKeysWithValues: bindings.map { ($0.name, $0) }))
        try backend.execute(plan, inputs: [], phase: .decode)
        return try backend.read(output)
    }
}
