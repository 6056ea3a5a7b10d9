import Foundation

/// Standard input, line by line.
struct LineReader {
    /// Longer lines are refused, so that a stream without line ends can't fill the memory.
    static let maximumBytes = 64 << 20

    private(set) var number = 0
    private var buffer: ArraySlice<UInt8> = []

    /// The next line without its end; nil at the end of the input.
    /// - Throws: `UsageError` for a line that is too long.
    mutating func next() throws -> [UInt8]? {
        var line: [UInt8] = []
        var hasBegun = false
        while true {
            if buffer.isEmpty {
                buffer = try StandardInput.read()[...]
                guard !buffer.isEmpty else {
                    guard hasBegun else { return nil }
                    break
                }
            }
            hasBegun = true
            let end = buffer.firstIndex(of: 0x0A)
            line += buffer[..<(end ?? buffer.endIndex)]
            guard line.count <= Self.maximumBytes else {
                throw UsageError("line \(number + 1) of standard input has more than \(Self.maximumBytes) bytes")
            }
            buffer = end.map { buffer[($0 + 1)...] } ?? []
            if end != nil { break }
        }
        number += 1
        if line.last == 0x0D { line.removeLast() }
        return line
    }
}
