import Chat
import Testing

@Suite struct StopStringTests {
    private func feed(_ parts: [String], _ stops: [String]) -> (text: String, isMatched: Bool) {
        var matcher = StopStringMatcher(stops)
        var text = ""
        for part in parts { text += matcher.append(part) }
        return (text + matcher.finish(), matcher.isMatched)
    }

    @Test("A stop string is found across any borders, and nothing of it is let out")
    func borders() {
        let text = "one, two <end> three"
        for size in 1...text.count {
            var parts: [String] = []
            var rest = Substring(text)
            while !rest.isEmpty {
                parts.append(String(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            let result = feed(parts, ["<end>"])
            #expect(result.text == "one, two " && result.isMatched)
        }
    }

    @Test("The first of several ends the text, and near misses come out in the end")
    func several() {
        #expect(feed(["ab", "cd", "ef"], ["zz", "de", "cd"]).text == "ab")
        #expect(feed(["aab"], ["ab"]).text == "a")
        #expect(feed(["<en", "d"], ["<end>"]) == ("<end", false))
        #expect(feed(["a", "b"], [""]) == ("ab", false))
        #expect(feed(["Grü", "ße"], ["üß"]) == ("Gr", true))
    }

    @Test("Text that can't be the beginning of a stop string isn't held back")
    func holding() {
        var matcher = StopStringMatcher(["###"])
        #expect(matcher.append("abc #") == "abc ")
        #expect(matcher.append("# ") == "## ")
        #expect(matcher.append("##") == "")
        #expect(matcher.append("#x") == "" && matcher.isMatched)
        #expect(matcher.append("more") == "" && matcher.finish() == "")
    }
}
