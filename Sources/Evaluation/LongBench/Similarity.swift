/// How alike two texts are: Ratcliff and Obershelp's matching of longest common parts, as in Python's difflib, in whole hundredths,
/// as in the package fuzzywuzzy.
enum Similarity {
    static func hundredths(_ one: [Unicode.Scalar], _ other: [Unicode.Scalar]) -> Double {
        if one == other { return 100 }
        guard !one.isEmpty, !other.isEmpty else { return 0 }
        let matcher = Matcher(one: one, other: other)
        let ratio = 2 * Double(matcher.matches()) / Double(one.count + other.count)
        return (100 * ratio).rounded(.toNearestOrEven)
    }

    private struct Matcher {
        let one: [Unicode.Scalar]
        let other: [Unicode.Scalar]
        /// Where characters are in the other text. In a long one, those that make up more than a hundredth begin no match.
        private let places: [Unicode.Scalar: [Int]]

        init(one: [Unicode.Scalar], other: [Unicode.Scalar]) {
            self.one = one
            self.other = other
            var places: [Unicode.Scalar: [Int]] = [:]
            for (index, scalar) in other.enumerated() { places[scalar, default: []].append(index) }
            if other.count >= 200 { places = places.filter { $0.value.count <= other.count / 100 + 1 } }
            self.places = places
        }

        /// The characters that match.
        func matches() -> Int {
            var open = [(one.indices, other.indices)]
            var count = 0
            while let (range, otherRange) = open.popLast() {
                let (start, otherStart, length) = longest(range, otherRange)
                guard length > 0 else { continue }
                count += length
                if range.lowerBound < start, otherRange.lowerBound < otherStart {
                    open.append((range.lowerBound..<start, otherRange.lowerBound..<otherStart))
                }
                if start + length < range.upperBound, otherStart + length < otherRange.upperBound {
                    open.append((start + length..<range.upperBound, otherStart + length..<otherRange.upperBound))
                }
            }
            return count
        }

        /// The longest common part, the first of several.
        private func longest(_ range: Range<Int>, _ otherRange: Range<Int>) -> (Int, Int, Int) {
            var best = (range.lowerBound, otherRange.lowerBound, 0)
            // Lengths of common parts that end at the character before, by where they end in the other text.
            var lengths: [Int: Int] = [:]
            for index in range {
                var next: [Int: Int] = [:]
                for place in places[one[index]] ?? [] where otherRange.contains(place) {
                    let length = (lengths[place - 1] ?? 0) + 1
                    next[place] = length
                    if length > best.2 { best = (index - length + 1, place - length + 1, length) }
                }
                lengths = next
            }
            while best.0 > range.lowerBound, best.1 > otherRange.lowerBound, one[best.0 - 1] == other[best.1 - 1] {
                best = (best.0 - 1, best.1 - 1, best.2 + 1)
            }
            while best.0 + best.2 < range.upperBound, best.1 + best.2 < otherRange.upperBound,
                one[best.0 + best.2] == other[best.1 + best.2]
            {
                best.2 += 1
            }
            return best
        }
    }
}
