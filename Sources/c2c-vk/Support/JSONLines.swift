import Foundation
import JSON

/// Answers JSON objects on standard input, one to a line, with one line each on standard output.
enum JSONLines {
    /// - Parameter answer: what to answer an object with; what it throws becomes `{"error": …}`, and the next line follows.
    static func run(_ answer: (JSONObject) throws -> JSONObject) throws {
        var reader = LineReader()
        while let line = try reader.next() {
            guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) else { continue }
            let reply: JSONObject
            do {
                reply = try answer(try object(line))
            } catch {
                reply = ["error": .string(Failure.message(for: error))]
            }
            try Output.line(JSONValue.object(reply).serialized)
        }
    }

    private static func object(_ line: [UInt8]) throws -> JSONObject {
        guard let text = String(validating: line, as: UTF8.self) else { throw UsageError("the line is not UTF-8") }
        guard case .object(let object) = try JSONParser.parse(text) else {
            throw UsageError("the line is JSON, but not an object")
        }
        return object
    }
}

extension JSONObject {
    func optionalString(_ key: String) throws -> String? {
        switch self[key] {
        case nil, .null: return nil
        case .string(let text): return text
        case .some(let value): throw UsageError("\"\(key)\" must be text, not \(value.kind)")
        }
    }

    func bool(_ key: String, default fallback: Bool) throws -> Bool {
        switch self[key] {
        case nil, .null: return fallback
        case .bool(let flag): return flag
        case .some(let value): throw UsageError("\"\(key)\" must be true or false, not \(value.kind)")
        }
    }

    /// Nil if the key is absent.
    func optionalIntegers(_ key: String) throws -> [Int]? {
        switch self[key] {
        case nil, .null: return nil
        case .array(let values):
            return try values.map { value in
                guard case .integer(let integer) = value else {
                    throw UsageError("\"\(key)\" must hold integers, not \(value.kind)")
                }
                return integer
            }
        case .some(let value): throw UsageError("\"\(key)\" must be a list of integers, not \(value.kind)")
        }
    }
}
