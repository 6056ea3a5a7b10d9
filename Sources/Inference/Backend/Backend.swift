/// A tensor that a backend keeps until its last reference goes: a weight, a cache, an input or a result.
public protocol StoredTensor: AnyObject {
    var name: String { get }
    var shape: TensorShape { get }
    var type: ElementType { get }
}

extension StoredTensor {
    /// Bytes as stored, padding included.
    public var byteCount: Int { type.byteCount(of: shape) }
}

/// A graph compiled for a backend: memory planned and, on a device, commands recorded.
public protocol Plan: AnyObject {
    var name: String { get }
}

/// Who will look at a stored tensor.
public enum TensorPlacement: Sendable {
    /// The device alone, but for rare reads.
    case device
    /// The host reads it after every run, without a copy.
    case hostReadable
}

/// Numbers written, from the tensor's start on, before a plan runs: to a u32 tensor, or the bits of those to a float32 one whose
/// rows have no padding. As many as the tensor has room for, which may be any number.
public struct PlanInput {
    public var tensor: any StoredTensor
    public var values: [UInt32]

    public init(_ tensor: any StoredTensor, _ values: [UInt32]) {
        self.tensor = tensor
        self.values = values
    }

    /// - Throws: `InferenceError.badGraph` where the tensor takes no such numbers, or not so many.
    public func check() throws {
        let shape = tensor.shape
        let takes32Bits = tensor.type == .u32 || tensor.type == .f32 && shape.columns == shape.rowStride
        guard takes32Bits, values.count <= shape.count else {
            throw InferenceError.badGraph("\(tensor.name) has no room for \(values.count) numbers")
        }
    }
}

/// One run of a plan that has been handed to the backend. Runs finish in the order they were handed over.
public struct Execution: Hashable, Sendable {
    public var value: UInt64

    public init(value: UInt64) {
        self.value = value
    }
}

/// What a stretch of work belongs to; a backend adds its time up by phase.
public enum Phase: String, Sendable, CaseIterable {
    case sharerPrefill, receiverPrefill, fusion, decode
    /// Sharers and receiver side by side.
    case jointPrefill
}

/// The bytes a backend holds.
public struct MemoryUse: Sendable {
    /// Of tensors and scratch memory.
    public var current: Int
    /// The most `current` has been.
    public var peak: Int
    /// The activations of plans, as part of `current`.
    public var scratch: Int
    /// What the host and the device exchange bytes through, besides.
    public var transfer: Int
    /// Taken from the system for `current`, free parts of blocks included.
    public var reserved: Int

    public init(current: Int, peak: Int, scratch: Int = 0, transfer: Int = 0, reserved: Int? = nil) {
        self.current = current
        self.peak = peak
        self.scratch = scratch
        self.transfer = transfer
        self.reserved = reserved ?? current
    }
}

/// Wall-clock seconds that a backend has spent on making things ready to run.
public struct CompileTime: Sendable {
    /// On plans: what runs, where, and after what; without their kernels.
    public var plans = 0.0
    /// On kernels, by the driver's compiler or from its cache.
    public var kernels = 0.0

    public init() {}

    public static func - (later: CompileTime, earlier: CompileTime) -> CompileTime {
        var difference = later
        difference.plans -= earlier.plans
        difference.kernels -= earlier.kernels
        return difference
    }
}

/// The one seam between the models and what computes them.
///
/// `execute` returns before the work is done and work runs in the order it was handed over; only `wait`,
/// `read` and `seconds` block. A backend is used from one thread at a time.
public protocol Backend: AnyObject {
    /// For people: the device's name.
    var name: String { get }

    /// The largest tensor that one operation can write, in bytes.
    var maximumOutputBytes: Int { get }

    /// Whether kernels that don't depend on each other can run at the same time.
    var runsKernelsSideBySide: Bool { get }

    var memory: MemoryUse { get }

    /// Bytes that new tensors can take, as far as is known; others may take them first.
    var availableBytes: Int { get }

    /// Since the backend was made.
    var compileTime: CompileTime { get }

    /// A new tensor of zeros.
    /// - Throws: when memory is exhausted, naming what was asked and what is free.
    func makeTensor(
        _ name: String, _ shape: TensorShape, _ type: ElementType, placement: TensorPlacement
    ) throws -> any StoredTensor

    /// A new tensor filled from host memory; see `WeightSource`.
    func makeTensor(_ name: String, _ source: WeightSource, type: ElementType) throws -> any StoredTensor

    /// A new tensor of uniform random values in `-scale ..< scale`, the same on every backend.
    func makeRandomTensor(
        _ name: String, _ shape: TensorShape, _ type: ElementType, seed: UInt32, scale: Float
    ) throws -> any StoredTensor

    /// Compiles a graph, whose bound tensors are this backend's. The plan keeps them.
    func compile(_ graph: Graph) throws -> any Plan

    /// Hands a plan over for one run, after `inputs` are written. Where it throws, none of them is written, now or later.
    ///
    /// - Throws: for an input that is longer than its tensor, or another backend's; what the device says.
    @discardableResult
    func execute(_ plan: any Plan, inputs: [PlanInput], phase: Phase) throws -> Execution

    /// Waits until a run and all before it are done.
    func wait(_ execution: Execution) throws

    /// A tensor's values without padding, row-major, as float32, once everything handed over is done.
    func read(_ tensor: any StoredTensor) throws -> [Float]

    /// A part of a u32 tensor. A `.hostReadable` one is read as it is now; else as `read`.
    func readIDs(_ tensor: any StoredTensor, _ range: Range<Int>) throws -> [UInt32]

    /// Device seconds spent on a phase by runs that are done, since the last `resetTimings`.
    func seconds(in phase: Phase) throws -> Double

    func resetTimings() throws
}
