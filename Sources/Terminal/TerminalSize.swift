import Foundation

/// A terminal's size in cells.
public struct TerminalSize: Sendable, Equatable {
    public var columns: Int
    public var rows: Int

    public init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }

    /// The size of the terminal that a descriptor leads to, as it is now; what `COLUMNS` and `LINES` say, or else 80 x 24,
    /// where the terminal doesn't know.
    public static func current(_ descriptor: CInt) -> TerminalSize {
        var size = winsize()
        let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0
        func choose(_ known: UInt16, _ variable: String, _ fallback: Int) -> Int {
            if isKnown, known > 0 { return Int(known) }
            let told = ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } ?? 0
            return told > 0 ? told : fallback
        }
        return TerminalSize(
            columns: choose(size.ws_col, "COLUMNS", 80), rows: choose(size.ws_row, "LINES", 24))
    }
}
