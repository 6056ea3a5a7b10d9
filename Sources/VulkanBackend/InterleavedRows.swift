import Inference
import VulkanCompute

/// The order of 16-bit weights for devices that load lane by lane, where each lane has a row: eight neighbouring rows form a tile,
/// in which the first sixteen bytes of all eight come before the next sixteen of all, much as of quantized rows (`BlockFormat`).
/// So lanes read side by side, and memory from end to end.
enum InterleavedRows {
    static let tileRows = 8
    private static let unitBytes = 16

    /// Whether rows of this kind can be stored so.
    static func apply(to shape: TensorShape, _ type: ElementType) -> Bool {
        (type == .f16 || type == .bf16) && shape.rows % tileRows == 0
    }

    /// Interleaves rows that lie one after another, or separates them again.
    /// - Parameter rows: whole tiles.
    static func reorder(_ rows: UnsafeMutableRawBufferPointer, rowBytes: Int, interleaves: Bool) {
        let (tileBytes, units) = (tileRows * rowBytes, rowBytes / unitBytes)
        withUnsafeTemporaryAllocation(byteCount: tileBytes, alignment: unitBytes) { copy in
            for tile in stride(from: 0, to: rows.count, by: tileBytes) {
                let target = UnsafeMutableRawBufferPointer(rebasing: rows[tile..<tile + tileBytes])
                copy.copyMemory(from: UnsafeRawBufferPointer(target))
                for row in 0..<tileRows {
                    for unit in 0..<units {
                        let (apart, side) = (row * units + unit, unit * tileRows + row)
                        let (from, to) = interleaves ? (apart, side) : (side, apart)
                        let value = copy.loadUnaligned(fromByteOffset: from * unitBytes, as: SIMD4<UInt32>.self)
                        target.storeBytes(of: value, toByteOffset: to * unitBytes, as: SIMD4<UInt32>.self)
                    }
                }
            }
        }
    }
}

extension VulkanTensor {
    /// Brings the rows into the order that a plan about to be recorded relies on.
    /// - Throws: `InferenceError.badGraph` where another plan relies on the other one.
    func fixOrder(interleaved: Bool, on device: Device) throws {
        guard isInterleaved == interleaved || !isOrderFixed else {
            throw InferenceError.badGraph("\(name) is the weight of one plan, and something else in another")
        }
        try reorder(interleaved: interleaved, on: device)
        isOrderFixed = true
    }

    func reorder(interleaved: Bool, on device: Device) throws {
        guard isInterleaved != interleaved else { return }
        let rowBytes = type.rowBytes(columns: shape.columns)
        let tileBytes = InterleavedRows.tileRows * rowBytes
        let step = max(1, (1 << 24) / tileBytes) * tileBytes
        for start in stride(from: 0, to: byteCount, by: step) {
            var chunk = [UInt8](repeating: 0, count: min(step, byteCount - start))
            try chunk.withUnsafeMutableBytes {
                try device.download(from: buffer, offset: start, into: $0)
                InterleavedRows.reorder($0, rowBytes: rowBytes, interleaves: interleaved)
            }
            try device.upload(chunk, to: buffer, offset: start)
        }
        isInterleaved = interleaved
    }
}
