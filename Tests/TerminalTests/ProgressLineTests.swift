import Terminal
import Testing

struct ProgressLineTests {
    private let line = ProgressLine(
        label: "asking", fraction: 0.25, count: "600 of 2400", rate: "3.1/s",
        detail: "receiver 51.2 %, sharer 70.0 %, text 68.9 %, c2c 66.1 %", secondsLeft: 581)

    @Test("A line fits into every terminal, and says the time that is left as long as anything else")
    func width() {
        for columns in 1...200 {
            let text = line.text(columns: columns)
            #expect(text.cells < max(columns, 1), "\(columns): \(text)")
            if columns > 30 { #expect(text.contains("600 of 2400") && text.contains("9 min 41 s left")) }
        }
        #expect(line.text(columns: 0).isEmpty)
    }

    @Test("Where room is short, details go first, then the rate, the bar and the label")
    func order() {
        #expect(
            line.text(columns: 200)
                == "asking [######------------------] 600 of 2400, 3.1/s, 9 min 41 s left, "
                + "receiver 51.2 %, sharer 70.0 %, text 68.9 %, c2c 66.1 %")
        #expect(line.text(columns: 80) == "asking [######------------------] 600 of 2400, 3.1/s, 9 min 41 s left")
        #expect(line.text(columns: 60) == "asking [###-----------] 600 of 2400, 3.1/s, 9 min 41 s left")
        #expect(line.text(columns: 51) == "asking [###---------] 600 of 2400, 9 min 41 s left")
        #expect(line.text(columns: 40) == "asking 600 of 2400, 9 min 41 s left")
        #expect(line.text(columns: 32) == "600 of 2400, 9 min 41 s left")
    }

    @Test("Wide characters take two cells")
    func wide() {
        let wide = ProgressLine(label: "读取中", fraction: 1, count: "1 of 1", secondsLeft: 4000)
        #expect(wide.text(columns: 30) == "读取中 1 of 1, 1 h 6 min left")
        #expect(wide.text(columns: 29) == "1 of 1, 1 h 6 min left")
    }

    @Test(
        "Cells of characters",
        arguments: [
            ("a", 1), ("é", 1), ("e\u{301}", 1), ("字", 2), ("ｱ", 1), ("Ａ", 2), ("한", 2),
            ("\u{1112}\u{1161}\u{11AB}", 2), ("🙂", 2),
            ("❤", 1), ("❤\u{FE0F}", 2), ("🇩🇪", 2), ("\u{200B}", 0), ("नि", 2), ("⌚", 2), ("…", 1),
            // As wide as in a terminal that draws each part.
            ("👩\u{200D}👩\u{200D}👧", 6), ("👍🏽", 4),
        ])
    func cells(_ text: String, _ expected: Int) {
        #expect(text.cells == expected)
    }

    @Test("Padding counts cells")
    func padding() {
        #expect("字".padded(cells: 4) == "字  " && "字".padded(cells: 4, isRight: true) == "  字")
        #expect("abc".padded(cells: 2) == "abc" && "字字".prefix(cells: 3) == "字")
    }
}
