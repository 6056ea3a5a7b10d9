import Inference
import VulkanCompute

/// Turns the ops of a graph into kernel launches on one device's memory. One file per op extends it.
struct DispatchEncoder {
    /// Where a tensor's bytes are.
    struct Location {
        var buffer: Buffer
        var offset: Int
        var byteCount: Int
        /// See `InterleavedRows`.
        var isInterleaved = false
        /// Nil for scratch memory.
        var tensor: VulkanTensor?
    }

    /// A bound range and where a view starts in it.
    struct Operand {
        var binding: BufferBinding
        /// From the binding's start.
        var byteOffset: Int
        var type: ElementType

        /// Elements from the binding's start; the type is one whose elements stand alone.
        var offset: Int { byteOffset / type.byteCount }
    }

    /// A part of a weight or cache that the device can bind at once.
    struct Window {
        var operand: Operand
        var matrices: Range<Int>
        /// All rows, unless a single matrix exceeds what the device binds.
        var rows: Range<Int>
    }

    let graph: Graph
    /// `Graph.readCounts`.
    let readCounts: [Int]
    /// By tensor's id; nil for one that no op uses.
    let locations: [Location?]
    let limits: DeviceDescription.Limits
    /// The most bytes of a weight or cache that one launch binds.
    let bindableBytes: Int
    /// See `VulkanBackendOptions.loadsByLane`.
    let loadsByLane: Bool
    /// See `VulkanBackend.shufflesEights`.
    let shufflesEights: Bool
    /// What products and attention of many tokens run on, if not on the ordinary kernels.
    let matrixUnits: MatrixUnits?
    /// What products of quantized weights with one token run on, if not on the ordinary kernels.
    let integerProducts: IntegerProducts?
    /// Between the launches of one op, or the workgroups of one launch.
    let temporary: TemporaryMemory
    /// Zeros, to be left as zeros.
    let counters: TemporaryMemory

    /// The lanes of a workgroup that is sure to be a single subgroup; nil where subgroups may be too small to be of use.
    var subgroupLanes: Int? {
        switch limits.minSubgroupSize {
        case 32...: 32
        case 8...: 8
        default: nil
        }
    }

    /// The launches of the graph, some of its ops joined. The ops of independent parts take turns, so that what waits for one
    /// waits together with what waits for its neighbour.
    func encode() throws -> [Dispatch] {
        let parts = graph.independentParts
        let (start, end) = (parts.first?.lowerBound ?? 0, parts.last?.upperBound ?? 0)
        // By where in its part an op is, 0 to 1. The launches of one stay together: they may share temporary memory.
        let turns = try parts.map { try encode(graph.ops[$0]) }.flatMap { ops in
            ops.enumerated().map { (turn: (Double($0) + 0.5) / Double(ops.count), launches: $1) }
        }
        // Ops of one part keep their order: no two have the same place.
        let launches =
            try encode(graph.ops[..<start]) + turns.sorted { $0.turn < $1.turn }.map(\.launches)
            + encode(graph.ops[end...])
        return launches.flatMap(\.self)
    }

    /// The launches of each op, or of ops that are joined.
    private func encode(_ ops: ArraySlice<Op>) throws -> [[Dispatch]] {
        var launches: [[Dispatch]] = []
        var rest = ops
        while let op = rest.first {
            if let heads = HeadRows(rest), let joined = try encode(heads) {
                launches.append([joined])
                rest.removeFirst(heads.opCount)
            } else if let product = JoinedProduct(rest), let joined = try encode(product) {
                launches.append(joined)
                rest.removeFirst(product.opCount)
            } else {
                launches.append(try encode(op))
                rest.removeFirst()
            }
        }
        return launches
    }

    func encode(_ op: Op) throws -> [Dispatch] {
        switch op {
        case .embed(let op): try encode(op)
        case .rmsNorm(let op): try encode(op)
        case .linear(let op): try encode(op)
        case .rope(let op): try encode(op)
        case .attention(let op): try encode(op)
        case .swiGLU(let op): try encode(op)
        case .readCache(let op): try encode(op)
        case .writeCache(let op): try encode(op)
        case .gatedAdd(let op): try encode(op)
        case .penalize(let op): try encode(op)
        case .argmax(let op): try encode(op)
        case .sample(let op): try encode(op)
        case .tally(let op): try encode(op)
        case .flagRows(let op): try encode(op)
        case .magnitude(let op): try encode(op)
        case .advance(let op): try encode(op)
        }
    }

    func info(_ tensor: Tensor) -> TensorInfo { graph.info(tensor) }

    func isInterleaved(_ tensor: Tensor) -> Bool { locations[tensor.id]?.isInterleaved ?? false }

    /// Binds what a view covers.
    func operand(_ view: TensorView, _ access: BufferBinding.Access) throws -> Operand {
        // Kernels load eight columns at once, so the last row counts with its padding.
        let paddedExtent = view.extent + ((view.columns + 7) & ~7) - view.columns
        let elementBytes = info(view.tensor).type.byteCount
        return try operand(
            view.tensor, fromByte: view.offset * elementBytes, byteCount: paddedExtent * elementBytes, access)
    }

    /// Binds a whole tensor.
    func operand(_ tensor: Tensor, _ access: BufferBinding.Access) throws -> Operand {
        let info = info(tensor)
        return try operand(tensor, fromByte: 0, byteCount: info.type.byteCount(of: info.shape), access)
    }

    /// Splits a tensor into windows of whole matrices, or of whole rows where one matrix is too large to bind.
    func windows(_ tensor: Tensor, _ access: BufferBinding.Access) throws -> [Window] {
        let info = info(tensor)
        let shape = info.shape
        let rowBytes = info.type.rowBytes(columns: shape.columns)
        // What aligning a window's start may add in front of it.
        let bindable = bindableBytes - limits.bindingAlignment
        let matrixBytes = info.type.matrixBytes(of: shape)
        if matrixBytes <= bindable {
            let matrices = min(shape.batch, bindable / max(1, matrixBytes))
            return try stride(from: 0, to: shape.batch, by: matrices).map { first in
                let range = first..<min(first + matrices, shape.batch)
                return Window(
                    operand: try operand(
                        tensor, fromByte: first * matrixBytes, byteCount: range.count * matrixBytes, access),
                    matrices: range, rows: 0..<shape.rows)
            }
        }
        let tileRows = isInterleaved(tensor) ? InterleavedRows.tileRows : info.type.tileRows
        let rows = bindable / (tileRows * rowBytes) * tileRows
        guard rows > 0 else {
            throw InferenceError.badGraph(
                "\(info.name): one row of \(shape) exceeds the \(bindableBytes) bytes that can be bound")
        }
        return try (0..<shape.batch).flatMap { matrix in
            try stride(from: 0, to: shape.rows, by: rows).map { first in
                let range = first..<min(first + rows, shape.rows)
                return Window(
                    operand: try operand(
                        tensor, fromByte: matrix * matrixBytes + first * rowBytes,
                        byteCount: info.type.storedRows(range.count) * rowBytes, access),
                    matrices: matrix..<matrix + 1, rows: range)
            }
        }
    }

    private func operand(
        _ tensor: Tensor, fromByte offset: Int, byteCount: Int, _ access: BufferBinding.Access
    ) throws -> Operand {
        guard let location = locations[tensor.id] else {
            throw InferenceError.badGraph("\(info(tensor).name) has no memory; is it bound?")
        }
        let start = location.offset + offset
        let aligned = start - start % limits.bindingAlignment
        let end = min(start + byteCount, location.offset + location.byteCount)
        guard end - aligned <= limits.maxStorageBufferRange else {
            throw InferenceError.badGraph(
                "\(info(tensor).name) needs \(end - aligned) bytes at once, the device binds at most "
                    + "\(limits.maxStorageBufferRange); run fewer tokens as one")
        }
        return Operand(
            binding: BufferBinding(location.buffer, offset: aligned, byteCount: end - aligned, access: access),
            byteOffset: start - aligned, type: info(tensor).type)
    }
}
