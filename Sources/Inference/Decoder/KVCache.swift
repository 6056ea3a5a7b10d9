/// The keys and values of one decoder for one sequence, with the tensors that go with them.
///
/// Keys are stored after RoPE (and after Qwen3's norm), as transformers caches them; so projectors read them as trained.
public final class KVCache {
    /// Distinguishes the caches of a session.
    public let name: String
    /// Rows each layer has room for.
    public let capacity: Int
    /// By layer: `[kvHeads, capacity, headDim]`.
    public let keys: [any StoredTensor]
    /// By layer: `[kvHeads, capacity, headDim]`.
    public let values: [any StoredTensor]
    /// One u32: rows filled on the device when the runs handed over so far are done. The next token's position.
    public let position: any StoredTensor
    /// `[1, capacity, headDim]`: cosines and sines for every position, of tokens that are read one by one.
    public let ropeTable: any StoredTensor
    /// Where a model's rotations depend on where a call ends, those of the calls that go on beyond that length.
    let callRotations: CallRotations?
    /// `[1, 1, capacity]` of u32: 1 where a row holds padding or is hidden. Written only for prompts that have some.
    public let padding: any StoredTensor
    /// Of those rows, as `FlagRows` takes them.
    var flaggedBounds: [UInt32] = []
    /// Rows filled, as the host knows it.
    public internal(set) var count = 0
    /// The tokens of those rows, as far as the host knows them: not those of rows that were decoded.
    var contents = TokenSequence()

    /// - Parameters:
    ///   - decoder: gives the layers that have a cache, their shapes and the rotations.
    ///   - name: tells caches of one decoder apart; nil is the decoder's name.
    ///   - capacity: tokens.
    ///   - prefillChunk: the most tokens that are read in one run.
    ///   - type: f32, f16, bf16 or q8_0.
    ///   - table: the rotations of another cache of this decoder and capacity; nil makes them.
    /// - Throws: `InferenceError.badRequest` where q8_0's blocks don't fit the heads; what the backend throws when memory
    ///   is exhausted.
    public init(
        for decoder: Decoder, named name: String? = nil, capacity: Int, prefillChunk: Int = 512, type: ElementType,
        ropeTable table: (any StoredTensor)? = nil, on backend: any Backend
    ) throws {
        let name = name ?? decoder.name
        let description = decoder.description
        try Self.check(type, for: description, name: decoder.name)
        let shape = Self.layerShape(description, capacity: capacity)
        self.name = name
        self.capacity = capacity
        keys = try (0..<decoder.extent.layerCount).map {
            try backend.makeTensor("\(name).key.\($0)", shape, type, placement: .device)
        }
        values = try (0..<decoder.extent.layerCount).map {
            try backend.makeTensor("\(name).value.\($0)", shape, type, placement: .device)
        }
        position = try backend.makeTensor(
            "\(name).position", TensorShape(columns: 1), .u32, placement: .device)
        padding = try backend.makeTensor(
            "\(name).padding", TensorShape(columns: capacity), .u32, placement: .device)
        callRotations = try description.rope.scaling.changesBeyond.flatMap { bound in
            guard bound < capacity else { return nil }
            return try CallRotations(
                description.rope, headDim: description.headDim, beyond: bound, rows: min(prefillChunk, capacity),
                name: name, on: backend)
        }
        ropeTable =
            try table
            ?? backend.makeTensor(
                "\(name).rope",
                WeightSource(
                    HostMatrix(
                        name: "rope", rows: capacity, columns: description.headDim,
                        values: description.rope.table(headDim: description.headDim, positions: capacity))),
                type: .f32)
    }

    private static func layerShape(_ description: DecoderDescription, capacity: Int) -> TensorShape {
        TensorShape(batch: description.kvHeadCount, rows: capacity, columns: description.headDim)
    }

    /// Bytes that the keys and values of a cache would take.
    static func byteCount(for decoder: Decoder, capacity: Int, type: ElementType) -> Int {
        2 * decoder.extent.layerCount * type.byteCount(of: layerShape(decoder.description, capacity: capacity))
    }

    /// Checks that a model's caches can be of a type.
    ///
    /// - Parameter name: what the error calls the model.
    /// - Throws: `InferenceError.badRequest` where q8_0's blocks don't fit the heads.
    public static func check(_ type: ElementType, for description: DecoderDescription, name: String) throws {
        guard type != .q8_0 || description.headDim % BlockFormat.columns == 0 else {
            throw InferenceError.badRequest(
                "\(name) has heads of \(description.headDim) columns, a q8_0 cache needs a multiple of "
                    + "\(BlockFormat.columns); use --kv-dtype f16")
        }
    }

    /// Bytes of all keys and values as stored.
    public var byteCount: Int {
        (keys + values).reduce(0) { $0 + $1.byteCount }
    }

    /// Forgets the rows from `count` on.
    func truncate(to count: Int) {
        self.count = min(self.count, count)
        contents.truncate(to: count)
    }

    /// Counts rows that a prefill fills.
    func append(_ sequence: TokenSequence, _ range: Range<Int>) {
        contents.ids += sequence.ids[range]
        contents.padding.formUnion(sequence.padding.filter(range.contains))
        count = range.upperBound
    }
}
