import Foundation
import Inference

/// The ops of a graph on the CPU, written to be read and trusted: it checks the GPU.
public final class ReferenceBackend: Backend {
    private var phaseSeconds: [Phase: Double] = [:]
    private var executions: UInt64 = 0
    private let ledger = MemoryLedger()

    public init() {}

    public var name: String { "CPU reference" }

    public var maximumOutputBytes: Int { 1 << 30 }

    public var runsKernelsSideBySide: Bool { false }

    public var memory: MemoryUse { ledger.use }

    /// It runs ops as they are listed.
    public var compileTime: CompileTime { CompileTime() }

    public var availableBytes: Int { max(0, Int(clamping: ProcessInfo.processInfo.physicalMemory) - memory.current) }

    public func makeTensor(
        _ name: String, _ shape: TensorShape, _ type: ElementType, placement: TensorPlacement
    ) throws -> any StoredTensor {
        makeStorage(name, shape, type)
    }

    public func makeTensor(_ name: String, _ source: WeightSource, type: ElementType) throws -> any StoredTensor {
        let tensor = makeStorage(name, source.shape, type)
        try source.write(
            rows: 0..<source.shape.batch * type.storedRows(source.shape.rows), as: type, into: tensor.bytes)
        return tensor
    }

    public func makeRandomTensor(
        _ name: String, _ shape: TensorShape, _ type: ElementType, seed: UInt32, scale: Float
    ) throws -> any StoredTensor {
        let tensor = makeStorage(name, shape, type)
        RandomFill.run(tensor, seed: seed, scale: scale)
        return tensor
    }

    private func makeStorage(_ name: String, _ shape: TensorShape, _ type: ElementType) -> ReferenceTensor {
        ReferenceTensor(name: name, shape: shape, type: type, ledger: ledger)
    }

    public func compile(_ graph: Graph) throws -> any Plan {
        try graph.validate()
        return try ReferencePlan(graph, ledger: ledger)
    }

    @discardableResult
    public func execute(_ plan: any Plan, inputs: [PlanInput], phase: Phase) throws -> Execution {
        guard let plan = plan as? ReferencePlan else {
            throw InferenceError.badGraph("\(plan.name) was compiled by another backend")
        }
        let places = try inputs.map { input in
            try input.check()
            return try own(input.tensor).bytes
        }
        for (input, bytes) in zip(inputs, places) { input.values.withUnsafeBytes { bytes.copyMemory(from: $0) } }
        let clock = ContinuousClock()
        let start = clock.now
        plan.run()
        phaseSeconds[phase, default: 0] += (clock.now - start).seconds
        executions += 1
        return Execution(value: executions)
    }

    /// Runs are done when `execute` returns.
    public func wait(_ execution: Execution) throws {}

    public func read(_ tensor: any StoredTensor) throws -> [Float] {
        let tensor = try own(tensor)
        return tensor.shape.unpadded(UnsafeRawBufferPointer(tensor.bytes), as: tensor.type)
    }

    public func readIDs(_ tensor: any StoredTensor, _ range: Range<Int>) throws -> [UInt32] {
        let tensor = try own(tensor)
        guard tensor.type == .u32, range.lowerBound >= 0, range.upperBound <= tensor.shape.columns else {
            throw InferenceError.badGraph("\(tensor.name) holds no ids \(range)")
        }
        return range.map { tensor.bytes.load(fromByteOffset: $0 * 4, as: UInt32.self) }
    }

    public func seconds(in phase: Phase) throws -> Double {
        phaseSeconds[phase] ?? 0
    }

    public func resetTimings() throws {
        phaseSeconds = [:]
    }

    private func own(_ tensor: any StoredTensor) throws -> ReferenceTensor {
        guard let tensor = tensor as? ReferenceTensor else {
            throw InferenceError.badGraph("\(tensor.name) is another backend's tensor")
        }
        return tensor
    }
}
