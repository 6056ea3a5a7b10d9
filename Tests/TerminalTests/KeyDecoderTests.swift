import Terminal
import Testing

struct KeyDecoderTests {
    private func keys(_ text: String) -> [Key] {
        var decoder = KeyDecoder()
        return decoder.keys(Array(text.utf8))
    }

    @Test(
        "Keys and their codes",
        arguments: [
            ("Hi 字🙂", [Key.text("Hi 字🙂")]), ("a\r", [.text("a"), .enter]), ("\n", [.enter]), ("\u{1B}\r", [.newLine]),
            ("\u{1B}[A\u{1B}[B\u{1B}[C\u{1B}[D", [.up, .down, .right, .left]), ("\u{1B}OA\u{1B}OH", [.up, .home]),
            ("\u{1B}[1;5C\u{1B}[1;3D\u{1B}b\u{1B}f", [.wordRight, .wordLeft, .wordLeft, .wordRight]),
            ("\u{1B}[3~\u{1B}[1~\u{1B}[4~\u{1B}[H\u{1B}[F", [.delete, .home, .end, .home, .end]),
            ("\u{7F}\u{08}\u{17}\u{1B}\u{7F}", [.backspace, .backspace, .deleteWordLeft, .deleteWordLeft]),
            (
                "\u{01}\u{05}\u{15}\u{0B}\u{04}\u{0C}",
                [.home, .end, .deleteToStart, .deleteToEnd, .endOfInput, .clearScreen]
            ),
            // Codes for other keys, and control characters that mean nothing, do nothing.
            ("a\u{1B}[15~\u{1B}[?1;2c\u{00}\u{16}b", [.text("a"), .text("b")]), ("a\tb", [.text("a\tb")]),
            ("one\ntwo\n", [.text("one"), .enter, .text("two"), .enter]),
        ])
    func codes(_ text: String, _ expected: [Key]) {
        #expect(keys(text) == expected)
    }

    @Test("What is pasted is one text, with its line ends, and without what would move a cursor")
    func paste() {
        #expect(
            keys("a\u{1B}[200~x\r\ny\rz\n\n\tw\u{1B}[A\u{07}\u{1B}[201~b") == [
                .text("a"), .pasted("x\ny\nz\n\n\tw[A"), .text("b"),
            ])
        #expect(keys("\u{1B}[200~\u{1B}[201~\r") == [.pasted(""), .enter])
    }

    @Test("However the bytes are cut, the keys are the same")
    func pieces() {
        let text = "é字🙂\u{1B}[200~one\rtwo\u{1B}[201~\u{1B}[1;5C\u{1B}OB\r"
        let whole = keys(text)
        for size in 1...12 {
            var decoder = KeyDecoder()
            var found: [Key] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                found += decoder.keys(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            // Text comes in as many pieces as it was cut into.
            let joined = found.reduce(into: [Key]()) { keys, key in
                if case .text(let next) = key, case .text(let last) = keys.last {
                    keys[keys.count - 1] = .text(last + next)
                } else {
                    keys.append(key)
                }
            }
            #expect(joined == whole, "pieces of \(size) bytes")
        }
    }

    @Test("Bytes that are no text, and codes without an end, are left out")
    func damaged() {
        var decoder = KeyDecoder()
        #expect(decoder.keys([0x61, 0xFF, 0x80, 0xC3]) == [.text("a")])
        #expect(decoder.keys([0xA9]) == [.text("é")])
        #expect(decoder.keys(Array("\u{1B}[".utf8) + Array(repeating: 0x31, count: 40) + [0x0D]).last == .enter)
        var state: UInt64 = 1
        for _ in 0..<2000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            _ = decoder.keys((0..<8).map { UInt8(truncatingIfNeeded: state >> ($0 * 7)) })
        }
    }
}
