import Foundation

/// Whether an answer says the same as the right one, by the rules of the checker that the paper's evaluation uses (math_verify).
///
/// Where that asks a computer algebra system whether a difference is zero, this looks at its value for several values of the
/// variables.
enum MathEquality {
    static func holds(_ gold: MathTerm, _ answer: MathTerm) -> Bool {
        var (gold, answer) = (gold, answer)
        let goldIsAssignment = isAssignment(gold)
        // Of a chain such as x = 1 + 2 = 3, the variable and the last side count.
        if goldIsAssignment { gold = .relation(.equal, firstSide(gold), lastSide(gold)) }
        if isAssignment(answer) { answer = .relation(.equal, firstSide(answer), lastSide(answer)) }
        if isEquation(answer), !isEquation(gold) {
            answer = lastSide(answer)
        } else if goldIsAssignment, !isEquation(answer) {
            gold = lastSide(gold)
        }
        if !gold.isTerm, answer.isSet, let set = solutions(gold) { gold = set }

        if gold == .undefined { return false }
        if gold == answer { return true }
        if !gold.isTerm, !answer.isTerm { return relations(gold, answer) }
        guard gold.isTerm, answer.isTerm else { return gold.isSet || answer.isSet ? sets(gold, answer) : false }
        if gold.isSet || answer.isSet { return sets(gold, answer) }
        if case .symbol(let name) = gold { return isSpelt(name, answer) }
        if case .symbol(let name) = answer { return isSpelt(name, gold) }
        return terms(gold, answer)
    }

    // MARK: Equations

    private static func isEquation(_ term: MathTerm) -> Bool {
        switch term {
        case .relation(.equal, _, _): true
        case .chain(let relations): relations.allSatisfy(isEquation)
        default: false
        }
    }

    private static func isAssignment(_ term: MathTerm) -> Bool {
        isEquation(term) && firstSide(term).isOnlySymbols
    }

    private static func firstSide(_ term: MathTerm) -> MathTerm {
        switch term {
        case .relation(_, let left, _): left
        case .chain(let relations): relations.first.map(firstSide) ?? term
        default: term
        }
    }

    private static func lastSide(_ term: MathTerm) -> MathTerm {
        switch term {
        case .relation(_, _, let right): right
        case .chain(let relations): relations.last.map(lastSide) ?? term
        default: term
        }
    }

    private static func relations(_ gold: MathTerm, _ answer: MathTerm) -> Bool {
        switch (gold, answer) {
        case (.chain(let parts), .chain(let others)):
            if let set = solutions(gold), let other = solutions(answer) { return sets(set, other) }
            return parts.count == others.count && zip(parts, others).allSatisfy(relations)
        case (.relation(let comparison, let left, let right), .relation(let other, let otherLeft, let otherRight)):
            // Of sets and tuples there is no difference.
            if [left, right, otherLeft, otherRight].contains(where: \.isSet) { return false }
            let difference = MathTerm.plus(left, right.negated)
            if comparison == other, holds(difference, .plus(otherLeft, otherRight.negated)) { return true }
            if comparison.swapped == other, holds(difference, .plus(otherRight, otherLeft.negated)) { return true }
            return comparison == .equal && other == .equal
                && areMultiples(difference, .plus(otherLeft, otherRight.negated))
        default: return false
        }
    }

    /// Whether what is zero in two equations is the same up to a factor, so that both have the same solutions.
    private static func areMultiples(_ one: MathTerm, _ two: MathTerm) -> Bool {
        let names = one.symbols
        guard !names.isEmpty, names == two.symbols else { return false }
        var factor: Double?
        for index in 0..<6 {
            let values = point(names: names, index)
            guard let first = one.value(values), let second = two.value(values), first.isReal, second.isReal,
                abs(first.real) > 1e-9
            else { return false }
            let ratio = second.real / first.real
            if let factor, abs(ratio - factor) > 1e-9 * max(1, abs(factor)) { return false }
            factor = ratio
        }
        return factor.map { abs($0) > 1e-12 } ?? false
    }

    /// The numbers for which relations of one variable hold, where they are linear in it.
    private static func solutions(_ term: MathTerm) -> MathTerm? {
        let parts: [MathTerm]
        if case .chain(let relations) = term { parts = relations } else { parts = [term] }
        guard term.symbols.count == 1 else { return nil }
        let infinity = MathTerm.constant(.infinity)
        var (start, end, isOpen) = (infinity.negated, infinity, (true, true))
        for part in parts {
            guard let (comparison, value) = bound(part) else { return nil }
            switch comparison {
            case .less: (end, isOpen.1) = (value, true)
            case .lessOrEqual: (end, isOpen.1) = (value, false)
            case .greater: (start, isOpen.0) = (value, true)
            case .greaterOrEqual: (start, isOpen.0) = (value, false)
            case .equal: return .set([value])
            case .notEqual: return nil
            }
        }
        return .interval(start, end, isOpen: isOpen)
    }

    /// How a variable compares to what number, by a relation that is linear in it.
    private static func bound(_ term: MathTerm) -> (MathTerm.Comparison, MathTerm)? {
        guard case .relation(let comparison, let left, let right) = term, !left.isSet, !right.isSet else { return nil }
        if case .symbol = left, right.symbols.isEmpty { return (comparison, right) }
        if case .symbol = right, left.symbols.isEmpty, let swapped = comparison.swapped { return (swapped, left) }
        let difference = MathTerm.plus(left, right.negated)
        let values = [0.0, 1, 2].map { point in difference.value { _ in point } }
        guard let zero = values[0], let one = values[1], let two = values[2], zero.isReal, one.isReal, two.isReal
        else { return nil }
        let slope = one.real - zero.real
        guard abs(slope) > 1e-9, abs(two.real - one.real - slope) < 1e-9 * abs(slope) else { return nil }
        let root = -zero.real / slope
        guard let sense = slope > 0 ? comparison : comparison.swapped else { return nil }
        return (sense, root == root.rounded() && abs(root) < 1e15 ? .integer(Int(root)) : .decimal(root))
    }

    // MARK: Sets

    private static func sets(_ gold: MathTerm, _ answer: MathTerm) -> Bool {
        let (gold, answer) = (gold.isSet ? gold : .set([gold]), answer.isSet ? answer : .set([answer]))
        if gold == answer || gold.holdsSameNumbers(as: answer) == true { return true }
        switch (gold, answer) {
        case (.interval(let start, let end, let isOpen), .interval(let otherStart, let otherEnd, let otherOpen)):
            return isOpen == otherOpen && holds(start, otherStart) && holds(end, otherEnd)
        case (.interval(let start, let end, (true, true)), .set), (.interval(let start, let end, (true, true)), .tuple):
            return elements(.tuple([start, end]), answer)
        case (.set, .interval(let start, let end, (true, true))), (.tuple, .interval(let start, let end, (true, true))):
            return elements(gold, .tuple([start, end]))
        case (.set, .set), (.set, .tuple), (.tuple, .set), (.tuple, .tuple): return elements(gold, answer)
        case (.setOperation(let operation, _, _), .setOperation(let other, _, _)) where operation == other:
            return sameParts(parts(gold, operation), parts(answer, operation), inOrder: operation == .difference)
        default: return false
        }
    }

    /// What is joined by one operation.
    private static func parts(_ term: MathTerm, _ operation: MathTerm.SetOperation) -> [MathTerm] {
        guard case .setOperation(operation, let one, let other) = term else { return [term] }
        return parts(one, operation) + parts(other, operation)
    }

    private static func sameParts(_ one: [MathTerm], _ other: [MathTerm], inOrder: Bool) -> Bool {
        guard one.count == other.count else { return false }
        if inOrder { return zip(one, other).allSatisfy(holds) }
        var left = other
        return one.allSatisfy { part in
            guard let index = left.firstIndex(where: { holds(part, $0) }) else { return false }
            left.remove(at: index)
            return true
        }
    }

    /// In order, as sets are sorted by their elements' values first; a set against a tuple as it is written.
    private static func elements(_ gold: MathTerm, _ answer: MathTerm) -> Bool {
        func distinct(_ terms: [MathTerm]) -> [MathTerm] {
            var seen: Set<String> = []
            return terms.filter { seen.insert($0.key).inserted }
        }
        switch (gold, answer) {
        case (.set(let gold), .set(let answer)): return sameParts(distinct(gold), distinct(answer), inOrder: false)
        case (.set(let gold), .tuple(let answer)):
            let gold = distinct(gold)
            return gold.count == answer.count && zip(sorted(gold), sorted(answer)).allSatisfy(holds)
        case (.tuple(let gold), .set(let answer)):
            let answer = distinct(answer)
            return gold.count == answer.count && zip(gold, answer).allSatisfy(holds)
        case (.tuple(let gold), .tuple(let answer)):
            return gold.count == answer.count && zip(gold, answer).allSatisfy(holds)
        default: return false
        }
    }

    private static func sorted(_ terms: [MathTerm]) -> [MathTerm] {
        func size(_ term: MathTerm) -> Double {
            (isAssignment(term) ? lastSide(term) : term).value()?.real ?? .infinity
        }
        return terms.sorted { (size($0), $0.key) < (size($1), $1.key) }
    }

    // MARK: Terms

    /// A name against variables side by side, which is how a word is read that isn't marked as text.
    private static func isSpelt(_ name: String, _ term: MathTerm) -> Bool {
        func letters(_ term: MathTerm) -> String? {
            switch term {
            case .symbol(let name): name.filter { $0 != "~" }
            case .constant(.e): "e"
            default: nil
            }
        }
        let plain = name.filter { $0 != "~" }
        if case .constant(.e) = term { return plain == "e" }
        guard case .product(let factors) = term else { return false }
        let spelt = factors.compactMap(letters)
        return spelt.count == factors.count && plain == spelt.joined()
    }

    private static func terms(_ gold: MathTerm, _ answer: MathTerm) -> Bool {
        if case .matrix(let rows) = gold, case .matrix(let others) = answer {
            return rows.count == others.count && rows[0].count == others[0].count
                && zip(rows.joined(), others.joined()).allSatisfy(terms)
        }
        let (plain, other) = (gold.withoutPercent, answer.withoutPercent)
        if plain.isNumber || other.isNumber {
            if plain.isDecimal || other.isDecimal { return areClose(gold, answer) || areEqual(gold, answer) }
            // 9 % and 9 are the same.
            if plain.isInteger, other.isInteger { return plain == other }
        }
        return areEqual(gold, answer)
    }

    /// Decimals are compared in six places, but not with integers.
    private static func areClose(_ gold: MathTerm, _ answer: MathTerm) -> Bool {
        guard let first = gold.value(), let second = answer.value() else { return false }
        for (term, value) in [(gold, first), (answer, second)] where !term.withoutPercent.isDecimal {
            if value.isReal, abs(value.real - value.real.rounded()) < 1e-12 { return false }
        }
        func rounded(_ number: Double) -> Double {
            let scaled = (number * 1e6).rounded(.toNearestOrEven)
            return scaled.isFinite ? scaled : number
        }
        return rounded(first.real) == rounded(second.real) && rounded(first.imaginary) == rounded(second.imaginary)
    }

    private static func areEqual(_ gold: MathTerm, _ answer: MathTerm) -> Bool {
        let names = gold.symbols.union(answer.symbols)
        var compared = 0
        for index in 0..<(names.isEmpty ? 1 : 8) {
            let values = point(names: names, index)
            guard let first = gold.value(values), let second = answer.value(values) else { continue }
            guard first.real.isFinite, second.real.isFinite else {
                if first.real != second.real { return false }
                compared += 1
                continue
            }
            let difference = ComplexNumber(
                real: first.real - second.real, imaginary: first.imaginary - second.imaginary)
            guard difference.magnitude <= 1e-11 * max(1, first.magnitude, second.magnitude) else { return false }
            compared += 1
        }
        return compared > 0
    }

    /// Values of variables, of both signs, on which nothing vanishes by chance.
    private static func point(names: Set<String>, _ index: Int) -> (String) -> Double? {
        { name in
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(index)
            for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash ^= hash >> 29
            hash = hash &* 0xbf58_476d_1ce4_e5b9
            let size = 0.3 + 2.5 * Double(hash >> 11) * 0x1p-53
            return hash & 1 == 0 || index % 2 == 0 ? size : -size
        }
    }
}
