/// Names that someone may have meant.
enum NearNames {
    /// The most that are named.
    private static let limit = 3

    /// Those of `names` that differ from `name` in case, in the organization alone, or in few letters; the nearest first.
    static func of(_ name: String, among names: [String]) -> [String] {
        let wanted = name.lowercased()
        let last = lastStep(wanted)
        let found = names.compactMap { candidate -> (distance: Int, name: String)? in
            let other = candidate.lowercased()
            // The repository's name is what people remember.
            if lastStep(other) == last { return (0, candidate) }
            let distance = min(distance(wanted, other), distance(last, lastStep(other)) + 1)
            return distance <= max(2, wanted.utf8.count / 5) ? (distance, candidate) : nil
        }
        return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(limit).map(\.name)
    }

    private static func lastStep(_ name: String) -> String { String(name.split(separator: "/").last ?? "") }

    /// How many letters must be put in, taken away or replaced (Levenshtein 1966).
    private static func distance(_ left: String, _ right: String) -> Int {
        // Names of repositories are at most 96 bytes long; what is far longer is near to none.
        let (left, right) = (Array(left.utf8.prefix(256)), Array(right.utf8.prefix(256)))
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for place in right.indices {
                let replaced = diagonal + (letter == right[place] ? 0 : 1)
                diagonal = row[place + 1]
                row[place + 1] = min(replaced, row[place] + 1, row[place + 1] + 1)
            }
        }
        return row[right.count]
    }
}
