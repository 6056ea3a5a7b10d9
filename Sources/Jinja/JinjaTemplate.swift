import JSON

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A Jinja template as chat templates are written: rendered as `transformers` renders them, with Jinja 3.1's sandbox of
/// immutable values, `trim_blocks`, `lstrip_blocks` and loop controls.
///
/// The language is Jinja's (<https://jinja.palletsprojects.com/en/stable/templates/>) without inheritance, includes,
/// imports and automatic escaping, and with arithmetic on integers of 64 bits.
public struct JinjaTemplate: Sendable {
    /// In bytes. The longest published chat templates have about 30 KB.
    public static let maximumBytes = 4 << 20

    /// What the template is called in errors.
    public let name: String
    private let statements: [Statement]

    /// - Throws: `JinjaError` (syntax or limit) with the place.
    public init(_ source: String, name: String) throws {
        self.name = name
        do {
            guard source.utf8.count <= Self.maximumBytes else {
                throw JinjaFailure("a template of more than \(Self.maximumBytes) bytes", kind: .limit)
            }
            statements = try Parser.statements(of: source)
        } catch let failure as JinjaFailure {
            throw failure.error(in: name)
        }
    }

    /// - Parameters:
    ///   - variables: by name, beside the functions every template finds.
    ///   - now: seconds since 1970, for `strftime_now`; nil for the present.
    /// - Throws: `JinjaError` with the place.
    package func render(
        _ variables: JSONObject, limits: JinjaLimits = JinjaLimits(), now: Int? = nil
    ) throws -> String {
        let interpreter = Interpreter(limits: limits, now: now ?? time(nil))
        do {
            let values = try variables.map { ($0.key, try Value($0.value)) }
            return try interpreter.render(statements, Globals.all + values)
        } catch let failure as JinjaFailure {
            throw failure.error(in: name)
        }
    }
}

extension Value {
    /// A value as Python's `json.loads` gives it.
    init(_ json: JSONValue) throws {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .int(value)
        case .large(let digits): self = LargeInteger(digits).map(Value.large) ?? .int(Int(digits) ?? 0)
        case .number(let value): self = .double(value)
        case .string(let text): self = .string(text)
        case .array(let values): self = .list(try values.map { try Value($0) })
        case .object(let object):
            var dictionary = Dictionary()
            for (key, value) in object { try dictionary.set(.string(key), try Value(value)) }
            self = .dictionary(dictionary)
        }
    }
}
