import OutputFiles

/// Writes a safetensors file front to back, holding no tensor in memory.
///
/// The target stays as it was until `finish()`; a writer that goes away unfinished leaves nothing. Not thread-safe.
public final class SafetensorsWriter {
    public let path: String
    private let file: OutputFile
    private var isFinished = false
    private let dataSize: Int
    private var written = 0

    /// Begins the file and writes the header.
    /// - Parameters:
    ///   - place: the target.
    ///   - layouts: every tensor, in the order in which its bytes will follow. Larger element types first keeps all
    ///     of them aligned.
    ///   - metadata: goes into the header as `__metadata__`, before anything else, by the order of its keys.
    /// - Throws: `CheckpointError` if two tensors share a name, the header gets too large, or the file cannot be made.
    public init(_ place: OutputPlace, layouts: [TensorLayout], metadata: [String: String] = [:]) throws {
        path = place.path
        let (header, dataSize) = try Self.header(layouts, metadata, path)
        file = try Self.checked(path) { () throws(OutputFileError) in try OutputFile(place) }
        self.dataSize = dataSize
        try header.withUnsafeBytes(writeAll)
    }

    /// Begins a file that replaces what is there; see the other form.
    public convenience init(_ path: String, layouts: [TensorLayout], metadata: [String: String] = [:]) throws {
        // What is wrong with the tensors is said first.
        _ = try Self.header(layouts, metadata, path)
        let place = try Self.checked(path) { () throws(OutputFileError) in try OutputPlace(path, replacing: nil) }
        try self.init(place, layouts: layouts, metadata: metadata)
    }

    /// Appends bytes (little-endian, row-major) of the tensor whose turn it is; a tensor may come in several pieces.
    /// - Throws: `CheckpointError` if there is more than the layouts hold, or the disk refuses.
    public func append(_ bytes: UnsafeRawBufferPointer) throws {
        guard !isFinished, bytes.count <= dataSize - written else {
            throw CheckpointError(.invalidValue, path, "more bytes than the \(dataSize) its tensors take")
        }
        try writeAll(bytes)
        written += bytes.count
    }

    /// Appends float32 values.
    public func append(_ floats: [Float]) throws {
        try floats.withUnsafeBytes { try append($0) }
    }

    /// Gives the complete file its name.
    /// - Throws: `CheckpointError` if bytes are still missing, or the disk refuses.
    public func finish() throws {
        guard !isFinished, written == dataSize else {
            throw CheckpointError(.invalidValue, path, "has \(written) of the \(dataSize) bytes its tensors take")
        }
        try Self.checked(path) { () throws(OutputFileError) in try file.finish() }
        isFinished = true
    }

    /// Writes whole tensors to a file, larger element types first, otherwise in the order given.
    public static func write(_ tensors: [HostTensor], metadata: [String: String] = [:], to place: OutputPlace) throws {
        let ordered = [8, 4, 2, 1].flatMap { size in tensors.filter { $0.dtype.elementSize == size } }
        let writer = try SafetensorsWriter(place, layouts: ordered.map(\.layout), metadata: metadata)
        for tensor in ordered {
            try tensor.withBytes { try writer.append($0) }
        }
        try writer.finish()
    }

    /// Writes whole tensors to a file that replaces what is there.
    public static func write(_ tensors: [HostTensor], metadata: [String: String] = [:], to path: String) throws {
        let place = try checked(path) { () throws(OutputFileError) in try OutputPlace(path, replacing: nil) }
        try write(tensors, metadata: metadata, to: place)
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws {
        try Self.checked(path) { () throws(OutputFileError) in try file.append(bytes) }
    }

    /// Says what goes wrong with a file as the other errors of checkpoints.
    private static func checked<Value>(
        _ path: String, _ work: () throws(OutputFileError) -> Value
    ) throws(CheckpointError) -> Value {
        do {
            return try work()
        } catch {
            throw CheckpointError(.inaccessible, path, "can't be written: \(error.reason)")
        }
    }

    /// The header with its length in front, padded with spaces so that the data starts at a multiple of 8.
    private static func header(
        _ layouts: [TensorLayout], _ metadata: [String: String], _ path: String
    ) throws -> (bytes: [UInt8], dataSize: Int) {
        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }.map { "\(jsonText($0.key)):\(jsonText($0.value))" }
            members.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
        }
        var names: Set<String> = ["__metadata__"]
        var end = 0
        for layout in layouts {
            guard names.insert(layout.name).inserted else {
                throw CheckpointError(.invalidValue, path, "two tensors cannot both be named \(quoted(layout.name))")
            }
            let begin = end
            let sum = begin.addingReportingOverflow(layout.byteCount)
            guard !sum.overflow else { throw CheckpointError(.tooLarge, path, "its tensors are larger than any file") }
            end = sum.partialValue
            let shape = layout.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(jsonText(layout.name)):{\"dtype\":\"\(layout.dtype.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(begin),\(end)]}")
        }
        var json = [UInt8]("{\(members.joined(separator: ","))}".utf8)
        json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        guard json.count <= SafetensorsFile.maximumHeaderSize else {
            throw CheckpointError(.tooLarge, path, "its header would be \(json.count) bytes")
        }
        let length = withUnsafeBytes(of: UInt64(json.count).littleEndian) { [UInt8]($0) }
        return (length + json, end)
    }

    private static func jsonText(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\u{0}"..<" ": result += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
