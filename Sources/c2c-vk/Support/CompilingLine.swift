import Foundation
import Synchronization
import Terminal

/// `compiling kernels, N of M` on standard error, while a driver makes an answer wait for that; nothing where it is no
/// terminal, or where kernels come from a cache at once. Thread-safe.
final class CompilingLine: Sendable {
    private struct State {
        /// When the first kernel was waited for that isn't ready yet.
        var start: ContinuousClock.Instant?
        /// Cells of what is shown now.
        var shownCells = 0
        var isFinished = false
    }

    private static let patience = Duration.milliseconds(300)
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())

    func update(ready: Int, wanted: Int) {
        guard isTerminal else { return }
        state.withLock { state in
            guard ready < wanted, !state.isFinished else {
                state.start = nil
                return show("", &state)
            }
            let start = state.start ?? .now
            state.start = start
            if ContinuousClock.now - start > Self.patience {
                show("compiling kernels, \(ready) of \(wanted)", &state)
            }
        }
    }

    /// Takes the line away, for good.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            show("", &state)
        }
    }

    /// Writes over what is shown, with spaces rather than with a code that not every terminal knows.
    private func show(_ text: String, _ state: inout State) {
        guard !text.isEmpty || state.shownCells > 0 else { return }
        let columns = TerminalSize.current(STDERR_FILENO).columns
        let shown = String(text.prefix(cells: max(0, columns - 1)))
        let rest = String(repeating: " ", count: max(0, min(state.shownCells, columns - 1) - shown.cells))
        StandardStreams.remark("\r\(shown)\(rest)" + (shown.isEmpty ? "\r" : ""))
        state.shownCells = shown.cells
    }
}
