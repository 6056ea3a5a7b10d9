import Foundation
import Inference
import ReferenceBackend
import Testing
import VulkanBackend
import VulkanCompute

/// Random numbers that are the same in every run (SplitMix64, Steele et al. 2014).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    /// Uniform in -1 ..< 1.
    mutating func float() -> Float {
        Float.random(in: -1..<1, using: &self)
    }

    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in float() }
    }
}

/// The device that kernels are tested on, made once: the tests of this target run one after another.
enum TestDevice {
    nonisolated(unsafe) private static var made: Result<Device, any Error>?

    static func device() throws -> Device {
        if let made { return try made.get() }
        let environment = ProcessInfo.processInfo.environment
        let result = Result {
            let instance = try Instance(validation: environment["C2C_VK_VALIDATION"] == "1")
            return try Device(
                try instance.chooseDevice(index: environment["C2C_VK_DEVICE"].flatMap { Int($0) }), of: instance)
        }
        made = result
        return try result.get()
    }

    /// Fails the test when the validation layers had something to say.
    static func expectNoMessages() throws {
        if let messages = try device().validation?.drain() {
            #expect(messages.isEmpty, "the validation layers complain")
        }
    }

    /// Whether there are matrix units with kernels for them.
    static let hasMatrixUnits = (try? usesMatrixUnits(unchecked: true)) ?? false

    /// Whether there are products of 8-bit integers, fast or not.
    static let hasIntegerProducts: Bool = {
        guard let device = try? device() else { return false }
        var options = VulkanBackendOptions()
        options.loadsByLane = false
        options.integerProducts = true
        return VulkanBackend(device, options: options).usesIntegerProducts
    }()

    /// - Parameter unchecked: whatever they compute.
    static func usesMatrixUnits(unchecked: Bool) throws -> Bool {
        var options = VulkanBackendOptions()
        options.loadsByLane = false
        options.matrixUnits = unchecked ? true : nil
        return VulkanBackend(try device(), options: options).usesMatrixUnits
    }
}

/// One op on both backends: the same graph, the same inputs, and what each made of them.
struct KernelBench {
    /// A bound tensor and its values before the op: row-major, without padding.
    struct Tensor {
        var name: String
        var shape: TensorShape
        var type: ElementType
        var values: [Float]
    }

    private(set) var tensors: [Tensor] = []

    /// A tensor of random values.
    mutating func random(
        _ name: String, _ shape: TensorShape, _ type: ElementType = .f32, using generator: inout SeededGenerator,
        scale: Float = 1
    ) {
        tensors.append(
            Tensor(
                name: name, shape: shape, type: type, values: generator.floats(shape.count).map { $0 * scale }))
    }

    /// A tensor of given values.
    mutating func add(_ name: String, _ shape: TensorShape, _ type: ElementType = .f32, _ values: [Float]) {
        tensors.append(Tensor(name: name, shape: shape, type: type, values: values))
    }

    /// One u32.
    mutating func counter(_ name: String, _ value: Int) {
        add(name, TensorShape(columns: 1), .u32, [Float(value)])
    }

    /// Runs what `build` puts into a graph and reads every tensor back.
    ///
    /// - Parameters:
    ///   - bindingBytes: the most that is bound at once, so that larger tensors are split.
    ///   - loadsByLane: false keeps devices with kernels of their own for that from taking them.
    ///   - matrixUnits: whether products and attention run on those; nil is what the backend takes.
    ///   - integerProducts: whether products of quantized weights do on those; nil as above.
    ///   - build: adds the op; `view` gives a bound tensor of this bench by its name.
    /// - Returns: values by tensor name, of the Vulkan device and of the reference.
    func run(
        bindingBytes: Int? = nil, loadsByLane: Bool? = nil, matrixUnits: Bool? = nil, integerProducts: Bool? = nil,
        _ build: (_ graph: inout Graph, _ view: (String, inout Graph) -> TensorView) -> Void
    ) throws -> (found: [String: [Float]], expected: [String: [Float]]) {
        try run(
            [:], bindingBytes: bindingBytes, loadsByLane: loadsByLane, matrixUnits: matrixUnits,
            integerProducts: integerProducts, build)[0]
    }

    /// Runs one plan several times.
    ///
    /// - Parameters:
    ///   - counters: what a counter is before each run.
    ///   - bindingBytes: as above, and so are the next four.
    /// - Returns: what each run leaves.
    func run(
        _ counters: KeyValuePairs<String, [Int]>, bindingBytes: Int? = nil, loadsByLane: Bool? = nil,
        matrixUnits: Bool? = nil, integerProducts: Bool? = nil,
        _ build: (_ graph: inout Graph, _ view: (String, inout Graph) -> TensorView) -> Void
    ) throws -> [(found: [String: [Float]], expected: [String: [Float]])] {
        let device = try TestDevice.device()
        var options = VulkanBackendOptions()
        options.maximumBindingBytes = bindingBytes
        options.loadsByLane = loadsByLane
        options.matrixUnits = matrixUnits
        options.integerProducts = integerProducts
        let found = try run(on: VulkanBackend(device, options: options), counters, build)
        let expected = try run(on: ReferenceBackend(), counters, build)
        try TestDevice.expectNoMessages()
        return Array(zip(found, expected))
    }

    private func run(
        on backend: any Backend, _ counters: KeyValuePairs<String, [Int]>,
        _ build: (_ graph: inout Graph, _ view: (String, inout Graph) -> TensorView) -> Void
    ) throws -> [[String: [Float]]] {
        var stored: [String: any StoredTensor] = [:]
        var inputs: [PlanInput] = []
        for tensor in tensors {
            if tensor.type == .u32 {
                let made = try backend.makeTensor(tensor.name, tensor.shape, .u32, placement: .device)
                inputs.append(PlanInput(made, tensor.values.map { UInt32($0) }))
                stored[tensor.name] = made
            } else {
                let rows = tensor.shape.rows * tensor.shape.columns
                let matrices = (0..<tensor.shape.batch).map { batch in
                    [
                        HostMatrix(
                            name: tensor.name, rows: tensor.shape.rows, columns: tensor.shape.columns,
                            values: Array(tensor.values[batch * rows..<(batch + 1) * rows]))
                    ]
                }
                stored[tensor.name] = try backend.makeTensor(
                    tensor.name, WeightSource(batches: matrices), type: tensor.type)
            }
        }
        var graph = Graph(name: "test")
        build(&graph) { name, graph in
            guard let tensor = stored[name] else { preconditionFailure("there is no tensor \(name)") }
            return graph.boundView(tensor)
        }
        let plan = try backend.compile(graph)
        return try (0..<(counters.map(\.value.count).max() ?? 1)).map { run in
            let changed = counters.compactMap { name, values in
                stored[name].map { PlanInput($0, [UInt32(values[run])]) }
            }
            try backend.execute(plan, inputs: inputs + changed, phase: .decode)
            return try stored.mapValues { try backend.read($0) }
        }
    }
}

/// Expects every value to be as close as the arithmetic allows.
///
/// - Parameter bound: the largest difference allowed at an index.
func expectClose(
    _ found: [Float]?, _ expected: [Float]?, _ what: String, bound: (_ index: Int, _ expected: Float) -> Float,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard let found, let expected, found.count == expected.count else {
        Issue.record("\(what): nothing to compare", sourceLocation: sourceLocation)
        return
    }
    for index in found.indices {
        let difference = abs(found[index] - expected[index])
        // A NaN is never within the bound.
        guard difference <= bound(index, expected[index]) else {
            Issue.record(
                "\(what)[\(index)]: \(found[index]), the reference has \(expected[index]), allowed are \(bound(index, expected[index]))",
                sourceLocation: sourceLocation)
            return
        }
    }
}
