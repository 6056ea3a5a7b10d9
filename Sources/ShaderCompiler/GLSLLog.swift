/// glslang's messages: lines such as `ERROR: Shaders/attention.comp:41: 'x' : undeclared identifier`.
struct GLSLLog {
    private let text: String

    init(_ text: String) {
        self.text = text
    }

    /// - Parameter file: the file meant by lines that name none.
    func messages(in file: String) -> [ShaderError] {
        text.split(separator: "\n").map(\.trimmed).compactMap { line -> ShaderError? in
            if line.isEmpty || Self.isSummary(line) { return nil }
            let (severity, rest) = Self.severity(of: line)
            guard let (place, number, message) = Self.place(in: rest) else {
                return ShaderError(severity: severity, file: file, line: nil, message: String(rest))
            }
            // What comes before the first #line directive belongs to string 0, the file itself.
            let named = place == "0" ? file : String(place)
            return ShaderError(severity: severity, file: named, line: number, message: String(message))
        }
    }

    private static func severity(of line: Substring) -> (ShaderError.Severity, Substring) {
        for (prefix, severity) in [("ERROR:", ShaderError.Severity.error), ("WARNING:", .warning)]
        where line.hasPrefix(prefix) {
            return (severity, line.dropFirst(prefix.count).trimmed)
        }
        return (.error, line)
    }

    /// `ERROR: 2 compilation errors.  No code generated.` or `ERROR: a.comp:41: '' : compilation terminated`
    private static func isSummary(_ line: Substring) -> Bool {
        line.hasPrefix("ERROR: ")
            && (line.contains(" compilation errors.") || line.hasSuffix("'' : compilation terminated"))
    }

    /// Splits `file:line: message`.
    private static func place(in line: Substring) -> (Substring, Int, Substring)? {
        let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let number = Int(parts[1]) else { return nil }
        return (parts[0], number, parts[2].trimmed)
    }
}
