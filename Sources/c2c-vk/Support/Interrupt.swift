import Foundation
import Terminal

/// Ctrl-C, which ends an answer but not the program; pressed again before the answer has ended, it ends the program.
enum Interrupt {
    nonisolated(unsafe) private static var isRaised: sig_atomic_t = 0

    /// From now on the signal is only noted, once.
    static func catchSignal() {
        RawTerminal.handle(SIGINT) { number in
            if Interrupt.isRaised != 0 { RawTerminal.end(by: number) }
            Interrupt.isRaised = 1
        }
    }

    /// Whether it came, and nobody has taken it yet.
    static var isPending: Bool { isRaised != 0 }

    /// Whether it came since the last call.
    static func take() -> Bool {
        defer { isRaised = 0 }
        return isRaised != 0
    }
}
