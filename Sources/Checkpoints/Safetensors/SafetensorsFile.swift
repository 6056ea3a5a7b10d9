import JSON

/// One safetensors file: an 8-byte little-endian header length, a JSON header, then the tensors' bytes.
/// Format: https://github.com/huggingface/safetensors
///
/// The whole header is checked when the file is opened: every tensor's size is what its type and shape need, lies in
/// the file and overlaps no other. A tensor of an element type other than `TensorType`'s, such as the scales of a cache in
/// eight bits, is an error only if it is asked for. Bytes that belong to no tensor are tolerated.
public struct SafetensorsFile: Sendable {
    /// Largest header in bytes, as in the reference implementation of the format.
    public static let maximumHeaderSize = 100_000_000

    public let path: String
    /// The header's `__metadata__`; empty if it has none, or `null`.
    public let metadata: [String: String]
    /// Every tensor of a type that is read, in the order of its bytes in the file.
    public let layouts: [TensorLayout]
    /// Every tensor, in the order of its bytes in the file.
    public let tensors: [TensorFacts]
    private let entries: [ExactText: Entry]

    private struct Entry {
        var facts: TensorFacts
        var region: MappedRegion
        /// Nil for an element type that isn't read.
        var layout: TensorLayout?
    }

    /// Opens the file and checks its header; reads no tensor.
    /// - Throws: `CheckpointError` if the file is missing, truncated or contradicts itself.
    public init(_ path: String) throws {
        let file = try MappedFile(path)
        let headerSize = try Self.headerSize(of: file)
        let header = try file.region(offset: 8, count: headerSize).withBytes { bytes in
            guard bytes.first == UInt8(ascii: "{") else {
                throw CheckpointError(.malformed, path, "is not a safetensors file: its header is not a JSON object")
            }
            return try JSONParser.parse(bytes, file: path, subject: "the header ", refusesRepeatedKeys: true)
        }
        guard case .object(var fields) = header else {
            throw CheckpointError(.malformed, path, "the header is not a JSON object")
        }
        metadata = try Self.metadata(fields["__metadata__"], file: path)
        fields["__metadata__"] = nil
        let data = try file.region(offset: 8 + headerSize, count: file.size - 8 - headerSize)
        let entries = try fields.map { try Self.entry(name: $0.key, fields: $0.value, data: data) }
            .sorted { ($0.region.offset, $0.region.count) < ($1.region.offset, $1.region.count) }
        for (previous, next) in zip(entries, entries.dropFirst())
        where next.region.offset < previous.region.offset + previous.region.count {
            throw CheckpointError(
                .malformed, path,
                "the bytes of \(quoted(previous.facts.name)) and \(quoted(next.facts.name)) overlap")
        }
        self.path = path
        layouts = entries.compactMap(\.layout)
        tensors = entries.map(\.facts)
        self.entries = Dictionary(uniqueKeysWithValues: entries.map { (ExactText($0.facts.name), $0) })
    }

    public func contains(_ name: String) -> Bool {
        entries[ExactText(name)] != nil
    }

    /// What the file says about a tensor; nil if it has no such tensor.
    public func facts(_ name: String) -> TensorFacts? {
        entries[ExactText(name)]?.facts
    }

    /// The tensor of that name, over the mapped file (nothing is copied).
    /// - Throws: `CheckpointError` if the file has no such tensor, or one of an element type that isn't read.
    public func tensor(_ name: String) throws -> HostTensor {
        guard let entry = entries[ExactText(name)] else {
            throw CheckpointError(.missing, path, "has no tensor \(quoted(name))")
        }
        guard let layout = entry.layout else {
            let known = TensorType.allCases.map(\.rawValue).joined(separator: ", ")
            throw CheckpointError(
                .unsupported, path,
                "tensor \(quoted(name)) has dtype \(quoted(entry.facts.type)), this reads \(known); "
                    + "use a checkpoint in one of these"
            )
        }
        return try HostTensor(layout: layout, region: entry.region)
    }

    private static func headerSize(of file: MappedFile) throws -> Int {
        guard file.size >= 8 else {
            throw CheckpointError(.malformed, file.path, "is \(file.size) bytes, too short for a safetensors file")
        }
        let length = try file.contents.withBytes { bytes in
            var reader = ByteReader(bytes, file: file.path, subject: "header length")
            return try reader.integer(UInt64.self)
        }
        guard length <= UInt64(maximumHeaderSize) else {
            throw CheckpointError(
                .malformed, file.path,
                "claims a header of \(length) bytes (at most \(maximumHeaderSize)); is it a safetensors file?")
        }
        guard length <= UInt64(file.size - 8) else {
            throw CheckpointError(
                .malformed, file.path,
                "is \(file.size) bytes, its header alone needs \(length + 8); download the file again")
        }
        return Int(length)
    }

    private static func metadata(_ value: JSONValue?, file: String) throws -> [String: String] {
        guard let value, value != .null else { return [:] }
        guard case .object(let fields) = value else {
            throw CheckpointError(.malformed, file, "__metadata__ is \(value.summary), expected an object of texts")
        }
        var metadata: [String: String] = [:]
        for (key, value) in fields {
            guard case .string(let text) = value else {
                throw CheckpointError(.malformed, file, "__metadata__ holds \(value.summary), expected texts only")
            }
            metadata[key] = text
        }
        return metadata
    }

    private static func entry(
        name: String, fields: JSONValue, data: MappedRegion
    ) throws -> Entry {
        let file = data.file.path
        func malformed(_ problem: String) -> CheckpointError {
            CheckpointError(.malformed, file, "tensor \(quoted(name)): \(problem)")
        }
        guard case .object(let fields) = fields, case .string(let typeName) = fields["dtype"] else {
            throw malformed("the header lacks its dtype")
        }
        guard let shape = integers(fields["shape"]) else { throw malformed("its shape is not a list of integers") }
        guard let offsets = integers(fields["data_offsets"]), offsets.count == 2 else {
            throw malformed("its data_offsets are not two integers")
        }
        let (begin, end) = (offsets[0], offsets[1])
        guard begin >= 0, begin <= end, end <= data.count else {
            throw malformed(
                "its data_offsets \(begin)...\(end) are not within the \(data.count) bytes of data; "
                    + "if the file is truncated, download it again")
        }
        let region = try data.region(offset: begin, count: end - begin)
        guard let dtype = TensorType(rawValue: typeName) else {
            let facts = try TensorFacts(
                name: name, unreadType: typeName, shape: shape, byteCount: region.count, file: file)
            return Entry(facts: facts, region: region)
        }
        let layout = try TensorLayout(name: name, dtype: dtype, shape: shape, file: file)
        guard end - begin == layout.byteCount else {
            throw malformed(
                "shape \(shape) of \(typeName) needs \(layout.byteCount) bytes, its data_offsets span \(end - begin)")
        }
        return Entry(facts: TensorFacts(layout), region: region, layout: layout)
    }

    private static func integers(_ value: JSONValue?) -> [Int]? {
        guard case .array(let elements) = value else { return nil }
        var result: [Int] = []
        for element in elements {
            guard case .integer(let number) = element else { return nil }
            result.append(number)
        }
        return result
    }
}
