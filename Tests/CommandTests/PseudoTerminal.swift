import Foundation
import Synchronization

/// The program in a terminal, as a person has it: keys are sent, and what the terminal is told is kept.
final class PseudoTerminal: Sendable {
    /// Whether the machine lets programs have terminals, and has a tool that makes one the program's own.
    static let isAvailable = access(session, X_OK) == 0 && open() != nil
    private static let session = "/usr/bin/setsid"

    private let controller: CInt
    private let received = Mutex(Data())
    /// Where in what was received `waitFor` goes on.
    private let position = Mutex(0)
    private let process = Process()

    /// Starts the program.
    init(_ arguments: [String], columns: Int = 80, rows: Int = 24, environment: [String: String] = [:]) throws {
        guard let ends = Self.open() else { throw CocoaError(.fileNoSuchFile) }
        controller = ends.controller
        resize(columns: columns, rows: rows)
        let terminal = FileHandle(fileDescriptor: ends.terminal, closeOnDealloc: true)
        process.executableURL = URL(filePath: Self.session)
        process.arguments = ["--ctty", "--wait", Program.executable.path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["TERM": "xterm-256color"]) { $1 }
            .merging(environment) { $1 }
        process.standardInput = terminal
        process.standardOutput = terminal
        process.standardError = terminal
        try process.run()
        try terminal.close()
        Thread.detachNewThread { [self] in
            var bytes = [UInt8](repeating: 0, count: 1 << 12)
            while true {
                let count = read(controller, &bytes, bytes.count)
                guard count > 0 else { return }
                received.withLock { $0.append(contentsOf: bytes[..<count]) }
            }
        }
    }

    deinit {
        if process.isRunning { process.terminate() }
        close(controller)
    }

    /// Both ends of a new terminal, as `posix_openpt` and `ptsname` make them; Swift doesn't see those.
    private static func open() -> (controller: CInt, terminal: CInt)? {
        let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        let controller = Glibc.open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard controller >= 0 else { return nil }
        var (isLocked, number): (CInt, CUnsignedInt) = (0, 0)
        if ioctl(controller, unlock, &isLocked) == 0, ioctl(controller, getNumber, &number) == 0 {
            let terminal = Glibc.open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
            if terminal >= 0 { return (controller, terminal) }
        }
        close(controller)
        return nil
    }

    func resize(columns: Int, rows: Int = 24) {
        var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(controller, UInt(TIOCSWINSZ), &size)
    }

    func send(_ keys: String) {
        var rest = Array(keys.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(controller, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// All that the terminal was told so far.
    var transcript: String { String(decoding: received.withLock { $0 }, as: UTF8.self) }

    /// Waits for a text after the one that was waited for last.
    ///
    /// - Returns: whether it came in time.
    func waitFor(_ text: String, seconds: Double = 60) -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        repeat {
            let data = received.withLock { $0 }
            let start = position.withLock { $0 }
            if let range = data.range(of: Data(text.utf8), in: start..<data.count) {
                position.withLock { $0 = range.upperBound }
                return true
            }
            usleep(10_000)
        } while ContinuousClock.now < end
        return false
    }

    /// Waits for the end of the program.
    ///
    /// - Returns: its exit code; nil where it hadn't ended in time.
    func exitCode(seconds: Double = 60) -> Int32? {
        let end = ContinuousClock.now + .seconds(seconds)
        while process.isRunning {
            guard ContinuousClock.now < end else { return nil }
            usleep(10_000)
        }
        // What it said last is on its way.
        usleep(100_000)
        return process.terminationStatus
    }
}
