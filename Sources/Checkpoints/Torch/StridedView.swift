/// A pickled tensor together with the bytes of its storage, known to lie within them.
struct StridedView {
    private let layout: TensorLayout
    private let pickled: PickledTensor
    private let storage: MappedRegion

    /// - Throws: `CheckpointError` if the storage is not as long as claimed or the view leaves it.
    init(name: String, _ tensor: PickledTensor, _ storage: MappedRegion) throws {
        let file = storage.file.path
        func malformed(_ problem: String) -> CheckpointError {
            CheckpointError(.malformed, file, "tensor \(quoted(name)): \(problem)")
        }
        guard let dtype = tensor.elements.type else {
            throw CheckpointError(
                .unsupported, file, "tensor \(quoted(name)) is of type \(tensor.elements.name), which is not read")
        }
        let (counted, unit) = (tensor.storage.elementCount, tensor.storage.elements)
        let storageBytes = counted.multipliedReportingOverflow(by: unit?.size ?? 1)
        guard !storageBytes.overflow, storageBytes.partialValue == storage.count else {
            throw malformed(
                "its storage should hold \(counted) \(unit?.type?.rawValue ?? "bytes"), but is \(storage.count) bytes")
        }
        let elementCount = storage.count / dtype.elementSize
        layout = try TensorLayout(name: name, dtype: dtype, shape: tensor.shape, file: file)
        guard tensor.strides.count == tensor.shape.count, tensor.strides.allSatisfy({ $0 >= 0 }) else {
            throw malformed("shape \(tensor.shape) does not go with strides \(tensor.strides)")
        }
        guard let end = Self.end(of: tensor, isEmpty: layout.elementCount == 0),
            tensor.offset >= 0, end <= elementCount
        else {
            throw malformed(
                "shape \(tensor.shape) with strides \(tensor.strides) from \(tensor.offset) on leaves its storage of "
                    + "\(elementCount) elements")
        }
        pickled = tensor
        self.storage = storage
    }

    /// The tensor over the mapped file if it is row-major, otherwise a row-major copy.
    /// - Parameter copyBudget: bytes that may still be copied; reduced by the copy.
    func tensor(copyBudget: inout Int) throws -> HostTensor {
        let size = layout.dtype.elementSize
        if layout.elementCount == 0 || isRowMajor {
            let region = try storage.region(offset: pickled.offset * size, count: layout.byteCount)
            return try HostTensor(layout: layout, region: region)
        }
        guard layout.byteCount <= copyBudget else {
            throw CheckpointError(
                .tooLarge, storage.file.path,
                "tensor \(quoted(layout.name)): its strided views repeat more than the file holds; "
                    + "save .contiguous() tensors")
        }
        copyBudget -= layout.byteCount
        let bytes = storage.withBytes { rowMajorCopy($0, elementSize: size) }
        return try HostTensor(
            name: layout.name, dtype: layout.dtype, shape: layout.shape, bytes: bytes, file: storage.file.path)
    }

    /// One past the last element the view reaches; nil if that does not fit an `Int`.
    private static func end(of tensor: PickledTensor, isEmpty: Bool) -> Int? {
        if isEmpty { return tensor.offset }
        var last = tensor.offset
        for (size, stride) in zip(tensor.shape, tensor.strides) {
            let span = (size - 1).multipliedReportingOverflow(by: stride)
            let sum = last.addingReportingOverflow(span.partialValue)
            guard !span.overflow, !sum.overflow else { return nil }
            last = sum.partialValue
        }
        let end = last.addingReportingOverflow(1)
        return end.overflow ? nil : end.partialValue
    }

    private var isRowMajor: Bool {
        var expected = 1
        for (size, stride) in zip(layout.shape, pickled.strides).reversed() where size != 1 {
            guard stride == expected else { return false }
            expected *= size
        }
        return true
    }

    private func rowMajorCopy(_ source: UnsafeRawBufferPointer, elementSize: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: layout.byteCount) { target, initialized in
            // A dimension of one element is never stepped over, and its stride may be any number.
            let dimensions = zip(layout.shape, pickled.strides).filter { $0.0 > 1 }
            var index = [Int](repeating: 0, count: dimensions.count)
            var position = pickled.offset
            for element in 0..<layout.elementCount {
                for byte in 0..<elementSize {
                    target.initializeElement(
                        at: element * elementSize + byte, to: source[position * elementSize + byte])
                }
                // Counts up like an odometer, the last dimension fastest.
                for (dimension, (size, stride)) in dimensions.enumerated().reversed() {
                    index[dimension] += 1
                    position += stride
                    if index[dimension] < size { break }
                    position -= size * stride
                    index[dimension] = 0
                }
            }
            initialized = layout.byteCount
        }
    }
}
