extension MathTerm {
    /// Whether two sets hold the same real numbers: asked of every end of an interval and every element, and between them.
    ///
    /// - Returns: nil where one isn't made of intervals and numbers.
    func holdsSameNumbers(as other: MathTerm) -> Bool? {
        guard let ends = numberEnds, let otherEnds = other.numberEnds else { return nil }
        let points = (ends + otherEnds).filter(\.isFinite).sorted()
        var asked = [0.0]
        if let first = points.first, let last = points.last { asked = [first - 1, last + 1] }
        for (index, point) in points.enumerated() {
            asked.append(point)
            if index > 0, point - points[index - 1] > Self.nearness { asked.append((point + points[index - 1]) / 2) }
        }
        return asked.allSatisfy { holds($0) == other.holds($0) }
    }

    private static let nearness = 1e-9

    /// Where a set of real numbers begins, ends, or has a number by itself.
    private var numberEnds: [Double]? {
        switch self {
        case .named("R"), .named("empty"): return []
        case .interval(let start, let end, _): return Self.numbers([start, end])
        case .set(let terms): return Self.numbers(terms)
        case .setOperation(_, let one, let other):
            guard let ends = one.numberEnds, let others = other.numberEnds else { return nil }
            return ends + others
        default: return nil
        }
    }

    private static func numbers(_ terms: [MathTerm]) -> [Double]? {
        let numbers = terms.compactMap { term -> Double? in
            guard !term.isSet, term.isTerm, let value = term.value(), value.isReal, !value.real.isNaN else {
                return nil
            }
            return value.real
        }
        return numbers.count == terms.count ? numbers : nil
    }

    private func holds(_ number: Double) -> Bool {
        switch self {
        case .named("R"): return true
        case .interval(let start, let end, let isOpen):
            guard let ends = Self.numbers([start, end]) else { return false }
            if abs(number - ends[0]) < Self.nearness { return !isOpen.0 }
            if abs(number - ends[1]) < Self.nearness { return !isOpen.1 }
            return ends[0] < number && number < ends[1]
        case .set(let terms): return Self.numbers(terms)?.contains { abs($0 - number) < Self.nearness } ?? false
        case .setOperation(.union, let one, let other): return one.holds(number) || other.holds(number)
        case .setOperation(.intersection, let one, let other): return one.holds(number) && other.holds(number)
        case .setOperation(.difference, let one, let other): return one.holds(number) && !other.holds(number)
        default: return false
        }
    }
}
