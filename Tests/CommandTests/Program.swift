import Foundation
import Testing

/// The built program, run as a user runs it.
struct Program {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String

        /// Standard output as a JSON object.
        func json() throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        }
    }

    /// Whether the program was built to be fast.
    #if DEBUG
    static let isOptimised = false
    #else
    static let isOptimised = true
    #endif

    static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures")

    /// A fixture's path.
    static func fixture(_ path: String) -> String { fixtures.appending(path: path).path }

    /// A path within the pair that the program embeds.
    static func embedded(_ path: String) -> String {
        fixtures.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/DemoPair/Resources/\(path)").path
    }

    /// The models of a golden case, as flags.
    static func pair(_ name: String) -> [String] {
        [
            "--receiver", fixture("\(name)/receiver"), "--sharer", fixture("\(name)/sharer"), "--fuser",
            fixture("\(name)/fuser"),
        ]
    }

    /// The program lies beside the test bundle.
    static let executable = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "c2c-vk")

    /// Starts the program, with nothing to read and its output thrown away.
    static func start(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Runs the program to its end. A crash shows as a status above 128 or a signal, and fails the test that runs it.
    ///
    /// - Parameters:
    ///   - input: what stands in standard input; nothing unless given.
    ///   - outputIsNonBlocking: standard output refuses what it can't take at once.
    ///   - executable: what is run instead, such as a shell.
    static func run(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
        outputIsNonBlocking: Bool = false, executable: URL = executable
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        if outputIsNonBlocking { _ = fcntl(output.fileHandleForWriting.fileDescriptor, F_SETFL, O_NONBLOCK) }
        process.standardOutput = output
        process.standardError = errors
        if let input {
            let pipe = Pipe()
            process.standardInput = pipe
            // Small enough for a pipe's buffer, so that writing waits for no reader.
            precondition(input.utf8.count < 1 << 16)
            try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try pipe.fileHandleForWriting.close()
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try process.run()
        // Both pipes are drained at once, so that neither fills up and stalls the program.
        let errorReader = PipeReader(errors)
        let outputData = output.fileHandleForReading.readDataToEndOfFile()
        let errorData = errorReader.data()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit, "\(arguments) ended by a signal")
        return Outcome(
            status: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
            errors: String(decoding: errorData, as: UTF8.self))
    }
}

/// Reads a pipe to its end on a thread of its own.
private final class PipeReader: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)
    private var read = Data()

    init(_ pipe: Pipe) {
        DispatchQueue.global().async { [self] in
            read = pipe.fileHandleForReading.readDataToEndOfFile()
            done.signal()
        }
    }

    func data() -> Data {
        done.wait()
        return read
    }
}

/// A folder that goes with the test.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func path(_ name: String) -> String { url.appending(path: name).path }

    /// A path in a folder that is gone.
    static func missingPath() throws -> String { try TemporaryFolder().path("file") }

    /// A copy of a fixture that can be damaged.
    func copy(_ fixture: String) throws -> String {
        let target = path(URL(filePath: fixture).lastPathComponent)
        try FileManager.default.copyItem(atPath: Program.fixture(fixture), toPath: target)
        return target
    }
}
