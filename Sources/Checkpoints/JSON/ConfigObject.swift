import JSON

/// An object of a configuration file with typed, checked access. A `null` counts as absent.
///
/// Every accessor throws a `CheckpointError` (`invalidValue`) that names the file, the field, what was found and what
/// is expected.
public struct ConfigObject: Sendable {
    /// Path of the file.
    public let file: String
    /// Where in the file this object is, as `rope_scaling` or `model.projector`; empty for the top level.
    public let field: String
    private let fields: JSONObject

    init(file: String, field: String, fields: JSONObject) {
        self.file = file
        self.field = field
        self.fields = fields
    }

    /// The names present, in the order of their bytes; those with `null` too.
    public var keys: [String] { fields.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    /// Whether the field is there and says `null`, where that means something else than leaving it out.
    public func isNull(_ key: String) -> Bool {
        fields[key] == .null
    }

    /// Whether the field is present and not `null`.
    public func contains(_ key: String) -> Bool {
        value(key) != nil
    }

    // MARK: Numbers

    /// A required integer within a range; `3.0` is not one.
    public func int(_ key: String, in range: ClosedRange<Int>) throws -> Int {
        try require(try optionalInt(key, in: range), key, integerExpectation(range))
    }

    /// An integer within a range, or the fallback if it is absent.
    public func int(_ key: String, in range: ClosedRange<Int>, default fallback: Int) throws -> Int {
        try optionalInt(key, in: range) ?? fallback
    }

    /// An integer within a range, or nil if it is absent.
    public func optionalInt(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let value = value(key) else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            throw mismatch(key, value, integerExpectation(range))
        }
        return number
    }

    /// A required integer, or a list of them: `eos_token_id` is either. Every element is within the range.
    public func integers(_ key: String, in range: ClosedRange<Int>) throws -> [Int] {
        try require(try optionalIntegers(key, in: range), key, "\(integerExpectation(range)), or a list of such")
    }

    /// As `integers`, or nil if the field is absent.
    public func optionalIntegers(_ key: String, in range: ClosedRange<Int>) throws -> [Int]? {
        guard let value = value(key) else { return nil }
        guard case .array(let elements) = value else { return [try int(key, in: range)] }
        return try elements.enumerated().map { index, element in
            guard case .integer(let number) = element, range.contains(number) else {
                throw mismatch("\(key)[\(index)]", element, integerExpectation(range))
            }
            return number
        }
    }

    /// A required number within a range, written as an integer or not.
    public func double(_ key: String, in range: ClosedRange<Double>) throws -> Double {
        try require(try optionalDouble(key, in: range), key, numberExpectation(range))
    }

    /// A number within a range, or the fallback if it is absent.
    public func double(_ key: String, in range: ClosedRange<Double>, default fallback: Double) throws -> Double {
        try optionalDouble(key, in: range) ?? fallback
    }

    /// A number within a range, or nil if it is absent.
    public func optionalDouble(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
        guard let value = value(key) else { return nil }
        guard let number = Self.number(value), range.contains(number) else {
            throw mismatch(key, value, numberExpectation(range))
        }
        return number
    }

    /// A required list of numbers, each within a range.
    public func doubles(_ key: String, in range: ClosedRange<Double>) throws -> [Double] {
        guard let value = value(key), case .array(let elements) = value else {
            throw mismatch(key, value(key), "a list of numbers")
        }
        return try elements.enumerated().map { index, element in
            guard let number = Self.number(element), range.contains(number) else {
                throw mismatch("\(key)[\(index)]", element, numberExpectation(range))
            }
            return number
        }
    }

    // MARK: Booleans and text

    /// A required `true` or `false`.
    public func bool(_ key: String) throws -> Bool {
        try require(try optionalBool(key), key, "true or false")
    }

    /// `true` or `false`, or the fallback if it is absent.
    public func bool(_ key: String, default fallback: Bool) throws -> Bool {
        try optionalBool(key) ?? fallback
    }

    /// `true` or `false`, or nil if it is absent.
    public func optionalBool(_ key: String) throws -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .bool(let flag) = value else { throw mismatch(key, value, "true or false") }
        return flag
    }

    /// A required text.
    public func string(_ key: String) throws -> String {
        try require(try optionalString(key), key, "text")
    }

    /// A text, or nil if it is absent.
    public func optionalString(_ key: String) throws -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value else { throw mismatch(key, value, "text") }
        return text
    }

    /// A required list of texts, as `architectures` and `layer_types` are.
    public func strings(_ key: String) throws -> [String] {
        try require(try optionalStrings(key), key, "a list of texts")
    }

    /// As `strings`, or nil if the field is absent.
    public func optionalStrings(_ key: String) throws -> [String]? {
        guard let value = value(key) else { return nil }
        guard case .array(let elements) = value else { throw mismatch(key, value, "a list of texts") }
        return try elements.enumerated().map { index, element in
            guard case .string(let text) = element else { throw mismatch("\(key)[\(index)]", element, "text") }
            return text
        }
    }

    // MARK: Objects

    /// A required object.
    public func object(_ key: String) throws -> ConfigObject {
        try require(try optionalObject(key), key, "an object")
    }

    /// An object, or nil if it is absent.
    public func optionalObject(_ key: String) throws -> ConfigObject? {
        guard let value = value(key) else { return nil }
        guard case .object(let fields) = value else { throw mismatch(key, value, "an object") }
        return ConfigObject(file: file, field: path(key), fields: fields)
    }

    /// A list of lists of integers, as the layer mapping of a fuser.
    func integerLists(_ key: String, in range: ClosedRange<Int>) throws -> [[Int]] {
        let expectation = "a list of lists of \(integerExpectation(range))"
        guard let value = value(key), case .array(let rows) = value else {
            throw mismatch(key, value(key), expectation)
        }
        return try rows.map { row in
            guard case .array(let elements) = row else { throw mismatch(key, row, expectation) }
            return try elements.map { element in
                guard case .integer(let number) = element, range.contains(number) else {
                    throw mismatch(key, element, expectation)
                }
                return number
            }
        }
    }

    /// The error for a value that is well-formed and yet cannot be used: names file, field, value and expectation.
    public func invalid(_ key: String, expected: String) -> CheckpointError {
        mismatch(key, value(key), expected)
    }

    // MARK: Support

    private static func number(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let number): Double(number)
        case .large(let digits): Double(digits)
        case .number(let number): number
        default: nil
        }
    }

    /// The value as it stands in the file, for a field of many forms; nil if it is absent.
    package func json(_ key: String) -> JSONValue? { value(key) }

    /// An error about the field.
    package func invalid(_ key: String, _ reason: String) -> CheckpointError {
        CheckpointError(.invalidValue, file, "\(path(key)): \(reason)")
    }

    private func value(_ key: String) -> JSONValue? {
        guard let value = fields[key], value != .null else { return nil }
        return value
    }

    private func path(_ key: String) -> String {
        field.isEmpty ? key : "\(field).\(key)"
    }

    private func require<Value>(_ value: Value?, _ key: String, _ expectation: String) throws -> Value {
        guard let value else { throw mismatch(key, nil, expectation) }
        return value
    }

    private func mismatch(_ key: String, _ found: JSONValue?, _ expectation: String) -> CheckpointError {
        let finding = found.map { "is \($0.summary)" } ?? "is missing"
        return CheckpointError(.invalidValue, file, "\(path(key)) \(finding), expected \(expectation)")
    }

    private func integerExpectation(_ range: ClosedRange<Int>) -> String {
        "an integer in \(range.lowerBound)...\(range.upperBound)"
    }

    private func numberExpectation(_ range: ClosedRange<Double>) -> String {
        "a number in \(range.lowerBound)...\(range.upperBound)"
    }
}
