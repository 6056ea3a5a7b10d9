/// How far something is, on one line that is never wider than a terminal.
public struct ProgressLine: Sendable {
    /// What is being done.
    public var label: String
    /// How much of it is done, 0 to 1.
    public var fraction: Double
    /// How much of it is done, in words: `3 of 10`.
    public var count: String
    /// How fast it goes, in words; empty where nobody knows.
    public var rate: String
    /// What else there is to say.
    public var detail: String
    /// Seconds until the end; nil where nobody knows.
    public var secondsLeft: Double?

    /// Cells of the bar, where there is room for it.
    private static let barCells = 10...24

    public init(
        label: String, fraction: Double, count: String, rate: String = "", detail: String = "",
        secondsLeft: Double? = nil
    ) {
        self.label = label
        self.fraction = fraction
        self.count = count
        self.rate = rate
        self.detail = detail
        self.secondsLeft = secondsLeft
    }

    /// The line; where room is short, details go first, then the rate, the bar and the label.
    ///
    /// - Parameter columns: of the terminal. The last one stays free, as some terminals begin a new line there.
    public func text(columns: Int) -> String {
        let room = max(0, columns - 1)
        let left = secondsLeft.map { "\(Self.words($0)) left" } ?? ""
        var text = ""
        for (detail, rate, hasBar, label) in [
            (detail, rate, true, label), ("", rate, true, label), ("", "", true, label), ("", "", false, label),
            ("", "", false, ""),
        ] {
            let end = [count, rate, left, detail].filter { !$0.isEmpty }.joined(separator: ", ")
            // Label, bar and end with a space between them; the bar stands in brackets.
            let others = (label.isEmpty ? 0 : label.cells + 1) + end.cells + 3
            let bar = hasBar ? min(Self.barCells.upperBound, room - others) : 0
            guard !hasBar || bar >= Self.barCells.lowerBound else { continue }
            text = [label, hasBar ? self.bar(bar) : "", end].filter { !$0.isEmpty }.joined(separator: " ")
            if text.cells <= room { break }
        }
        return String(text.prefix(cells: room))
    }

    private func bar(_ cells: Int) -> String {
        let filled = min(cells, max(0, Int(Double(cells) * fraction)))
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: cells - filled) + "]"
    }

    /// A time for people: `42 s`, `3 min 5 s`, `2 h 5 min`.
    static func words(_ seconds: Double) -> String {
        let whole = Int(min(max(0, seconds), 3.6e8).rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
