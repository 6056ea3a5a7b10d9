import Foundation

/// A terminal that hands over keys as they are pressed, shows none of them by itself, and says what was pasted.
///
/// What was typed before stays to be read. Signals from the keyboard work as ever. However the program ends or stops, the terminal
/// is as it was, but for a program that is killed.
public enum RawTerminal {
    nonisolated(unsafe) private static var original = termios()
    nonisolated(unsafe) private static var input: CInt = -1
    nonisolated(unsafe) private static var output: CInt = -1
    /// Whether the program was stopped or the terminal has changed its size since somebody asked.
    nonisolated(unsafe) private static var hasChanged: sig_atomic_t = 0

    /// - Returns: false where the terminal can't be set.
    public static func enter(input: CInt, output: CInt) -> Bool {
        guard tcgetattr(input, &original) == 0 else { return false }
        (self.input, self.output) = (input, output)
        guard set() else {
            self.input = -1
            return false
        }
        atexit { RawTerminal.leave() }
        // These would end the program with the terminal as it is now.
        for number in [SIGTERM, SIGHUP, SIGQUIT] where !isIgnored(number) {
            handle(number) { RawTerminal.end(by: $0) }
        }
        handle(SIGTSTP) { _ in RawTerminal.stop() }
        handle(SIGCONT) { _ in
            RawTerminal.handle(SIGTSTP) { _ in RawTerminal.stop() }
            _ = RawTerminal.set()
            RawTerminal.hasChanged = 1
        }
        handle(SIGWINCH) { _ in RawTerminal.hasChanged = 1 }
        return true
    }

    /// Makes the terminal as it was. May be called from handlers of signals.
    public static func leave() {
        guard input >= 0 else { return }
        write("\u{1B}[?2004l")
        tcsetattr(input, TCSADRAIN, &original)
    }

    /// Ends the program by a signal, as if it had not been handled. May be called from handlers of signals.
    public static func end(by number: CInt) {
        leave()
        signal(number, SIG_DFL)
        raise(number)
    }

    /// Whether what is shown may be gone since the last call.
    static func takeChange() -> Bool {
        defer { hasChanged = 0 }
        return hasChanged != 0
    }

    private static func stop() {
        leave()
        signal(SIGTSTP, SIG_DFL)
        raise(SIGTSTP)
    }

    private static func set() -> Bool {
        var raw = original
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | IEXTEN)
        raw.c_iflag &= ~tcflag_t(ICRNL | INLCR | IGNCR | ISTRIP)
        withUnsafeMutableBytes(of: &raw.c_cc) { characters in
            characters[Int(VMIN)] = 1
            characters[Int(VTIME)] = 0
        }
        // Without throwing away what was typed ahead.
        guard tcsetattr(input, TCSADRAIN, &raw) == 0 else { return false }
        write("\u{1B}[?2004h")
        return true
    }

    private static func write(_ code: StaticString) {
        _ = Foundation.write(output, code.utf8Start, code.utf8CodeUnitCount)
    }

    private static func isIgnored(_ number: CInt) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }

    /// Calls a handler when a signal comes; without restarting what that interrupts, so that reading notices it, and also where the
    /// program was started with the signal blocked.
    public static func handle(_ number: CInt, _ handler: @escaping @convention(c) (CInt) -> Void) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = handler
        sigaction(number, &action, nil)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
