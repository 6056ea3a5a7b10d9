import Foundation

/// Ctrl-C, which ends an answer but not the program.
enum Interrupt {
    nonisolated(unsafe) private static var isRaised: sig_atomic_t = 0

    /// From now on the signal is only noted.
    static func catchSignal() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in Interrupt.isRaised = 1 }
        sigaction(SIGINT, &action, nil)
    }

    /// Whether it came since the last call.
    static func take() -> Bool {
        defer { isRaised = 0 }
        return isRaised != 0
    }
}
