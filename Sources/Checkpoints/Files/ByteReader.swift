/// Reads little-endian fields front to back and refuses to pass the end.
///
/// Raw buffers check their bounds in debug builds only, so every read of untrusted bytes goes through here.
struct ByteReader {
    let bytes: UnsafeRawBufferPointer
    let file: String
    /// What is being read, for the error: "zip directory".
    let subject: String
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer, file: String, subject: String) {
        self.bytes = bytes
        self.file = file
        self.subject = subject
    }

    var remaining: Int { bytes.count - offset }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws -> Value {
        let field = try take(MemoryLayout<Value>.size)
        return Value(littleEndian: field.loadUnaligned(as: Value.self))
    }

    mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else {
            throw CheckpointError(.malformed, file, "the \(subject) ends too early; download or save the file again")
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    mutating func skip(_ count: Int) throws {
        _ = try take(count)
    }

    /// The bytes up to the next newline, which is consumed and not returned.
    mutating func line(limit: Int) throws -> UnsafeRawBufferPointer {
        let newline = UInt8(ascii: "\n")
        let window = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + min(limit + 1, remaining)])
        guard let length = window.firstIndex(of: newline) else {
            throw CheckpointError(.malformed, file, "the \(subject) holds an unfinished or overlong line")
        }
        defer { offset += length + 1 }
        return UnsafeRawBufferPointer(rebasing: window[..<length])
    }
}

/// A buffer's start can be missing when it is empty; text from it is validated UTF-8 or nil.
func text(_ bytes: UnsafeRawBufferPointer) -> String? {
    String(validating: bytes, as: UTF8.self)
}
