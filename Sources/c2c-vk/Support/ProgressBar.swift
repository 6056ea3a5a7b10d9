import Foundation

/// Bytes read so far, with their rate, on standard error; nothing where that is no terminal.
final class ProgressBar {
    private let label: String
    private let total: Int
    private let isShown: Bool
    private let start = ContinuousClock.now
    private var done = 0
    private var lastShown = ContinuousClock.now - .seconds(1)

    init(_ label: String, total: Int) {
        self.label = label
        self.total = total
        isShown = isatty(STDERR_FILENO) == 1
    }

    func add(_ bytes: Int) {
        done += bytes
        let now = ContinuousClock.now
        guard isShown, now - lastShown > .milliseconds(50) || done >= total else { return }
        lastShown = now
        let width = 24
        let filled = total > 0 ? min(width, width * done / total) : width
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        let seconds = max((now - start) / .seconds(1), 1e-3)
        let rate = formatBytes(Int(Double(done) / seconds))
        write("\r\(label) [\(bar)] \(formatBytes(done)) of \(formatBytes(total)), \(rate)/s\u{1B}[K")
    }

    /// Takes the bar away.
    func finish() {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
