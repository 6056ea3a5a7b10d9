/// One thing to say about a place in a shader, in the form that editors and terminals make clickable.
struct ShaderError: Error, Hashable, CustomStringConvertible {
    enum Severity: String {
        case error, warning, note
    }

    var severity = Severity.error
    /// The path as a person at the package's root would type it, e.g. `Shaders/attention.comp`.
    let file: String
    /// Counted from 1; nil where the whole file is meant.
    let line: Int?
    let message: String

    var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return "\(place): \(severity.rawValue): \(message)"
    }

    func with(suffix: String) -> ShaderError {
        ShaderError(severity: severity, file: file, line: line, message: message + suffix)
    }
}

/// All that is wrong with one or more shaders.
struct ShaderErrors: Error {
    let errors: [ShaderError]

    init(errors: [ShaderError]) {
        self.errors = errors
    }

    init(file: String, line: Int?, _ message: String) {
        errors = [ShaderError(file: file, line: line, message: message)]
    }
}
