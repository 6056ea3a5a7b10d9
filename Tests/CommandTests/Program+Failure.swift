import Testing

extension Program {
    /// Runs the program, and expects it to end with nothing on standard output, one line on standard error and an exit code.
    ///
    /// - Parameter words: each of them is in the line.
    static func expectFailure(
        _ arguments: [String], status: Int32 = 2, says words: [String], environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try run(arguments, environment: environment)
        #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: sourceLocation)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 1 && outcome.output.isEmpty, "\(outcome.errors)", sourceLocation: sourceLocation)
        for word in words {
            #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: sourceLocation)
        }
    }
}
