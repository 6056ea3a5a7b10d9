import Foundation
import JSON

/// GPQA's records: a right answer and three wrong ones, which the paper's implementation puts into an order that depends on
/// their text alone (github thu-nics/C2C, `script/evaluation/unified_evaluator.py`).
enum GPQA {
    struct Item {
        var question: String
        var choices: [String]
        /// The index of the right one.
        var right: Int
    }

    /// - Throws: `FieldError`.
    static func item(_ record: JSONObject) throws -> Item {
        func text(_ key: String) throws -> String {
            if let revised = record["Extra Revised \(key)"]?.pythonText, !revised.trimmed.isEmpty { return revised }
            guard let value = record[key] else { throw FieldError(reason: "has no \"\(key)\"") }
            guard let text = value.pythonText else {
                throw FieldError(reason: "\"\(key)\" is \(value.kind), not text")
            }
            return text
        }
        let question = try text("Question")
        let answers = try ["Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3"].map(text)
        // The seed is the digest modulo 2^32: its last four bytes.
        let digest = MD5.digest(Array(([question] + answers).joined(separator: "||").utf8))
        let seed = digest.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        var generator = MersenneTwister(seed: seed)
        var order = [0, 1, 2, 3]
        generator.shuffle(&order)
        let choices = order.map { answers[$0] }
        return Item(question: question, choices: choices, right: choices.firstIndex(of: answers[0]) ?? 0)
    }
}

extension JSONValue {
    /// As Python's str prints it.
    fileprivate var pythonText: String? {
        if case .number(let value) = self { return "\(value)" }
        return plainText
    }
}

/// The generator of Matsumoto and Nishimura (1998), seeded and read as Python's random module does.
struct MersenneTwister {
    private var state = [UInt32](repeating: 0, count: 624)
    private var next = 624

    /// As `random.Random(seed)` begins, with the seed as a key of one word.
    init(seed: UInt32) {
        state[0] = 19_650_218
        for index in 1..<624 {
            state[index] = 1_812_433_253 &* (state[index - 1] ^ state[index - 1] >> 30) &+ UInt32(index)
        }
        var index = 1
        for _ in 0..<624 {
            state[index] = (state[index] ^ (state[index - 1] ^ state[index - 1] >> 30) &* 1_664_525) &+ seed
            index += 1
            if index == 624 { (state[0], index) = (state[623], 1) }
        }
        for _ in 0..<623 {
            state[index] =
                (state[index] ^ (state[index - 1] ^ state[index - 1] >> 30) &* 1_566_083_941) &- UInt32(index)
            index += 1
            if index == 624 { (state[0], index) = (state[623], 1) }
        }
        state[0] = 0x8000_0000
    }

    mutating func word() -> UInt32 {
        if next == 624 {
            for index in 0..<624 {
                let mixed = state[index] & 0x8000_0000 | state[(index + 1) % 624] & 0x7fff_ffff
                state[index] = state[(index + 397) % 624] ^ mixed >> 1 ^ (mixed & 1 == 1 ? 0x9908_b0df : 0)
            }
            next = 0
        }
        var word = state[next]
        next += 1
        word ^= word >> 11
        word ^= word << 7 & 0x9d2c_5680
        word ^= word << 15 & 0xefc6_0000
        return word ^ word >> 18
    }

    /// As `random.shuffle` does it: from the end, each with one that isn't behind it.
    mutating func shuffle<Element>(_ values: inout [Element]) {
        for index in stride(from: values.count - 1, to: 0, by: -1) {
            let bits = UInt32.bitWidth - UInt32(index + 1).leadingZeroBitCount
            var other: Int
            repeat { other = Int(word() >> UInt32(32 - bits)) } while other > index
            values.swapAt(index, other)
        }
    }
}
