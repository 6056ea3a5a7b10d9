import Foundation
import Synchronization
import Terminal

/// How far something is, with rate and time left, on standard error while it lasts; nothing where that is no terminal.
///
/// Nothing is shown of what is done at once. Thread-safe.
final class ProgressBar: Sendable {
    /// What is counted.
    enum Unit {
        case items, bytes
    }

    private struct State {
        var total: Int
        var done = 0
        var detail = ""
        /// Cells of what is shown now.
        var shownCells = 0
        var isFinished = false
    }

    private let label: @Sendable () -> String
    private let unit: Unit
    private let start = ContinuousClock.now
    /// Those that aren't finished. The last one has the line.
    private static let active = Mutex<[ObjectIdentifier]>([])
    private let state: Mutex<State>

    /// - Parameters:
    ///   - label: what is being done, in a word or two.
    ///   - total: how much there is of it.
    convenience init(_ label: String, total: Int, of unit: Unit = .items) {
        self.init(total: total, of: unit) { label }
    }

    /// - Parameter label: asked whenever the line is drawn.
    init(total: Int, of unit: Unit = .items, label: @escaping @Sendable () -> String) {
        self.label = label
        self.unit = unit
        state = Mutex(State(total: total))
        guard isatty(STDERR_FILENO) == 1 else { return }
        Self.active.withLock { $0.append(ObjectIdentifier(self)) }
        draw(after: .milliseconds(300))
    }

    deinit {
        finish()
    }

    /// Counts what was done.
    ///
    /// - Parameter detail: what else there is to say from now on.
    func add(_ amount: Int, detail: String? = nil) {
        state.withLock { state in
            state.done += amount
            if let detail { state.detail = detail }
        }
    }

    /// Takes the line away.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            Self.active.withLock { $0.removeAll { $0 == ObjectIdentifier(self) } }
            show("", &state)
        }
    }

    /// Draws again and again until the end, also where nothing is counted for a while.
    private func draw(after delay: DispatchTimeInterval) {
        DispatchQueue.global().asyncAfter(deadline: .now() + delay) { [weak self] in
            guard let self else { return }
            let goesOn = state.withLock { state in
                let hasLine = Self.active.withLock { $0.last == ObjectIdentifier(self) }
                if !state.isFinished, hasLine {
                    show(line(state).text(columns: TerminalSize.current(STDERR_FILENO).columns), &state)
                }
                return !state.isFinished
            }
            if goesOn { draw(after: .milliseconds(200)) }
        }
    }

    private func line(_ state: State) -> ProgressLine {
        let seconds = max((ContinuousClock.now - start) / .seconds(1), 1e-3)
        let rate = Double(state.done) / seconds
        let count: String
        let rateWords: String
        switch unit {
        case .items:
            count = "\(state.done) of \(state.total)"
            rateWords = "\(rate.decimals(rate < 10 ? 1 : 0))/s"
        case .bytes:
            count = "\(formatBytes(state.done)) of \(formatBytes(state.total))"
            rateWords = "\(formatBytes(Int(rate)))/s"
        }
        return ProgressLine(
            label: label(), fraction: state.total > 0 ? Double(state.done) / Double(state.total) : 1, count: count,
            rate: state.done > 0 ? rateWords : "", detail: state.detail,
            secondsLeft: state.done > 0 ? Double(state.total - state.done) / rate : nil)
    }

    /// Writes over what is shown, with spaces rather than with a code to erase it, which not every terminal knows.
    private func show(_ text: String, _ state: inout State) {
        guard !text.isEmpty || state.shownCells > 0 else { return }
        // What was shown may be wider than the terminal has become.
        let columns = TerminalSize.current(STDERR_FILENO).columns
        let cells = text.cells
        let rest = String(repeating: " ", count: max(0, min(state.shownCells, columns - 1) - cells))
        StandardStreams.remark("\r\(text)\(rest)" + (text.isEmpty ? "\r" : ""))
        state.shownCells = cells
    }
}
