import Inference

/// Counts the bytes of the tensors that are alive.
final class MemoryLedger {
    private(set) var use = MemoryUse(current: 0, peak: 0)

    func add(_ bytes: Int, isScratch: Bool) {
        use.current += bytes
        use.reserved = use.current
        use.peak = max(use.peak, use.current)
        if isScratch { use.scratch += bytes }
    }
}

/// A tensor in host memory, rows padded as `TensorShape` says.
final class ReferenceTensor: StoredTensor {
    let name: String
    let shape: TensorShape
    let type: ElementType
    let bytes: UnsafeMutableRawBufferPointer

    private let isScratch: Bool
    private let ledger: MemoryLedger

    init(name: String, shape: TensorShape, type: ElementType, isScratch: Bool = false, ledger: MemoryLedger) {
        self.isScratch = isScratch
        self.ledger = ledger
        self.name = name
        self.shape = shape
        self.type = type
        bytes = .allocate(byteCount: max(16, type.byteCount(of: shape)), alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        ledger.add(bytes.count, isScratch: isScratch)
    }

    deinit {
        ledger.add(-bytes.count, isScratch: isScratch)
        bytes.deallocate()
    }
}
