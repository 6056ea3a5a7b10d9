/// A parsed JSON value, for the small parts of tokenizer.json (the vocabulary and the merges are read as a stream).
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONMembers)

    /// The JSON type's name, for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// The members of an object, in the order they are written in. Keys are bytes: as `String`, two tokens that are one only after
/// Unicode normalization would be the same key.
struct JSONMembers: Equatable, Sendable {
    private(set) var entries: [(key: [UInt8], value: JSONValue)] = []
    private var places: [[UInt8]: Int] = [:]

    subscript(key: String) -> JSONValue? { places[Array(key.utf8)].map { entries[$0].value } }

    /// Of a key that is given twice the last value counts, as in Python.
    mutating func insert(_ key: [UInt8], _ value: JSONValue) {
        if let place = places[key] {
            entries[place].value = value
        } else {
            places[key] = entries.count
            entries.append((key, value))
        }
    }

    static func == (left: JSONMembers, right: JSONMembers) -> Bool {
        left.entries.elementsEqual(right.entries) { $0.key == $1.key && $0.value == $1.value }
    }
}

/// A value with its place in the file, so that every complaint says where.
struct JSONNode {
    let value: JSONValue
    let path: String

    /// - Throws: `TokenizationError.invalidFile` when this is not an object or lacks `key`.
    func member(_ key: String) throws -> JSONNode {
        guard let node = try optionalMember(key) else {
            throw TokenizationError.invalidFile("\(path.isEmpty ? key : "\(path).\(key)") is missing")
        }
        return node
    }

    /// nil when the key is absent or null.
    func optionalMember(_ key: String) throws -> JSONNode? {
        guard case .object(let members) = value else { throw mismatch("an object") }
        guard let member = members[key], member != .null else { return nil }
        return JSONNode(value: member, path: path.isEmpty ? key : "\(path).\(key)")
    }

    func string() throws -> String {
        guard case .string(let string) = value else { throw mismatch("a string") }
        return string
    }

    func bool() throws -> Bool {
        guard case .bool(let bool) = value else { throw mismatch("true or false") }
        return bool
    }

    func integer() throws -> Int {
        guard case .integer(let integer) = value else { throw mismatch("an integer") }
        return integer
    }

    func elements() throws -> [JSONNode] {
        guard case .array(let elements) = value else { throw mismatch("an array") }
        return elements.enumerated().map { JSONNode(value: $1, path: "\(path)[\($0)]") }
    }

    /// The names and values of an object, in the file's order.
    func members() throws -> [(key: String, node: JSONNode)] {
        guard case .object(let members) = value else { throw mismatch("an object") }
        return members.entries.map { key, value in
            let name = String(decoding: key, as: UTF8.self)
            return (name, JSONNode(value: value, path: path.isEmpty ? name : "\(path).\(name)"))
        }
    }

    /// The `type` every part of a tokenizer's pipeline carries.
    func type() throws -> String { try member("type").string() }

    func unsupportedType(supported: String) throws -> TokenizationError {
        .unsupported("\(path): type \(quoted(try type())) is not supported (supported: \(supported))")
    }

    private func mismatch(_ expected: String) -> TokenizationError {
        .invalidFile("\(path.isEmpty ? "" : "\(path) ")is \(value.kind), expected \(expected)")
    }
}
