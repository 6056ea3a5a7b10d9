import JSON

/// Reads the pickle of a `state_dict` as `torch.save` writes it: a dictionary from names to tensors.
/// Opcodes: Python's `pickletools` module.
///
/// This is a recogniser, not an interpreter: nothing is imported or called, and only the opcodes and globals of a
/// state_dict exist. Containers live in tables and refer to each other by index, so that nesting, sharing and cycles,
/// however deep, cost no recursion; every opcode adds at most one value, so memory is bounded by `maximumOpcodes`.
package struct Unpickler {
    /// In bytes.
    package static let maximumSize = 16 << 20
    package static let maximumOpcodes = 2_000_000
    package static let maximumStackDepth = 100_000

    enum Value {
        case none
        case bool(Bool)
        case int(Int)
        case double(Double)
        case string(String)
        case global(PickleGlobal)
        case tuple(Int)
        case list(Int)
        case dictionary(Int)
        case storage(Int)
        case tensor(Int)
        /// Something harmless that isn't read, and what it is.
        case unread(String)
    }

    let file: String
    private var reader: ByteReader
    private var stack: [Value] = []
    /// Stack heights at which a MARK was placed.
    private var marks: [Int] = []
    private var memo: [Int: Value] = [:]

    var tuples: [[Value]] = []
    private var lists: [[Value]] = []
    var dictionaries: [[(key: Value, value: Value)]] = []
    var storages: [PickledStorage] = []
    var tensors: [PickledTensor] = []

    /// What the pickle gave.
    private(set) var result = Value.none
    /// Bytes up to its end.
    var consumed: Int { reader.offset }

    /// The tensors of a state_dict by name.
    /// - Parameter file: path for the error.
    /// - Throws: `CheckpointError`: `unsafe` if the pickle names a global that is not allowed, `unsupported` if it
    ///   uses an opcode that a state_dict does not, `tooLarge` beyond a limit, otherwise `malformed`.
    package static func stateDictionary(
        _ bytes: UnsafeRawBufferPointer, file: String
    ) throws -> PickledState {
        guard bytes.count <= maximumSize else {
            throw CheckpointError(
                .tooLarge, file, "its pickle is \(bytes.count) bytes, at most \(maximumSize) are read")
        }
        return try run(bytes, file: file).state()
    }

    /// Reads the pickle that the bytes start with.
    /// - Throws: as `stateDictionary`.
    static func run(_ bytes: UnsafeRawBufferPointer, file: String) throws -> Unpickler {
        var unpickler = Unpickler(file: file, reader: ByteReader(bytes, file: file, subject: "pickle"))
        unpickler.result = try unpickler.run()
        return unpickler
    }

    /// The result as the tensors of a state_dict.
    func state() throws -> PickledState { try state(result) }

    /// A boolean in the result, a dictionary; nil if there is none.
    func flag(_ name: String) -> Bool? {
        guard case .dictionary(let index) = result else { return nil }
        for case (.string(name), .bool(let flag)) in dictionaries[index] { return flag }
        return nil
    }

    /// The result as a list of texts; nil if it is something else.
    func texts() -> [String]? {
        guard case .list(let index) = result else { return nil }
        var texts: [String] = []
        for value in lists[index] {
            guard case .string(let text) = value else { return nil }
            texts.append(text)
        }
        return texts
    }

    private init(file: String, reader: ByteReader) {
        self.file = file
        self.reader = reader
    }

    func malformed(_ problem: String) -> CheckpointError {
        CheckpointError(.malformed, file, "its pickle is not that of a state_dict: \(problem)")
    }

    // MARK: Opcodes

    private mutating func run() throws -> Value {
        for _ in 0..<Self.maximumOpcodes {
            let opcode = try reader.integer(UInt8.self)
            if opcode == UInt8(ascii: ".") { return try pop() }
            try execute(opcode)
            guard stack.count <= Self.maximumStackDepth, marks.count <= Self.maximumStackDepth else {
                throw CheckpointError(.tooLarge, file, "its pickle stacks more than \(Self.maximumStackDepth) values")
            }
        }
        throw CheckpointError(.tooLarge, file, "its pickle takes more than \(Self.maximumOpcodes) steps")
    }

    private mutating func execute(_ opcode: UInt8) throws {
        switch opcode {
        case 0x80:  // PROTO
            guard try reader.integer(UInt8.self) <= 5 else { throw malformed("an unknown protocol") }
        case 0x95: try reader.skip(8)  // FRAME: a hint for buffering

        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "K"): stack.append(.int(Int(try reader.integer(UInt8.self))))
        case UInt8(ascii: "M"): stack.append(.int(Int(try reader.integer(UInt16.self))))
        case UInt8(ascii: "J"): stack.append(.int(Int(try reader.integer(Int32.self))))
        case 0x8A: stack.append(try longInteger())
        case UInt8(ascii: "G"):
            stack.append(.double(Double(bitPattern: try reader.integer(UInt64.self).byteSwapped)))
        case UInt8(ascii: "U"): try pushText(length: UInt64(try reader.integer(UInt8.self)))
        case UInt8(ascii: "X"): try pushText(length: UInt64(try reader.integer(UInt32.self)))
        case 0x8C: try pushText(length: UInt64(try reader.integer(UInt8.self)))
        case 0x8D: try pushText(length: try reader.integer(UInt64.self))

        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: ")"): pushTuple([])
        case UInt8(ascii: "t"): pushTuple(try popToMark())
        case 0x85: pushTuple(try pop(1))
        case 0x86: pushTuple(try pop(2))
        case 0x87: pushTuple(try pop(3))
        case UInt8(ascii: "]"):
            lists.append([])
            stack.append(.list(lists.count - 1))
        case UInt8(ascii: "a"): try append(try pop(1))
        case UInt8(ascii: "e"): try append(try popToMark())
        case UInt8(ascii: "}"): pushDictionary()
        case UInt8(ascii: "s"): try setItems(try pop(2))
        case UInt8(ascii: "u"): try setItems(try popToMark())

        case UInt8(ascii: "q"): memo[Int(try reader.integer(UInt8.self))] = try top()
        case UInt8(ascii: "r"): memo[Int(try reader.integer(UInt32.self))] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "h"): try pushMemo(Int(try reader.integer(UInt8.self)))
        case UInt8(ascii: "j"): try pushMemo(Int(try reader.integer(UInt32.self)))

        case UInt8(ascii: "c"):
            let module = try globalName(try reader.line(limit: 256))
            stack.append(
                .global(try PickleGlobal(module: module, name: globalName(try reader.line(limit: 256)), file: file)))
        case 0x93:
            guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
                throw malformed("a global without a name")
            }
            stack.append(.global(try PickleGlobal(module: module, name: name, file: file)))
        case UInt8(ascii: "Q"): stack.append(try persistent(try pop()))
        case UInt8(ascii: "R"):
            let arguments = try pop()
            stack.append(try reduce(try pop(), arguments))
        case 0x81:  // NEWOBJ: an object of a class, which of these only a parameter is
            let arguments = try pop()
            guard case .global(.tensorClass) = try top() else {
                throw CheckpointError(
                    .unsupported, file, "its pickle makes objects that are no tensors; save the plain state_dict")
            }
            stack.append(try reduce(try pop(), arguments))
        case 0x8F: stack.append(.unread("a set"))
        case UInt8(ascii: "b"):
            // A module's state_dict carries its `_metadata` this way: layer versions, not needed here.
            guard case .dictionary = try pop(), case .dictionary = try top() else {
                throw malformed("state for something that is not a dictionary")
            }
        default:
            throw CheckpointError(
                .unsupported, file,
                "its pickle uses opcode 0x\(String(opcode, radix: 16)), which a state_dict of tensors does not; "
                    + "save the plain state_dict with torch.save")
        }
    }

    private mutating func longInteger() throws -> Value {
        let bytes = try reader.take(Int(try reader.integer(UInt8.self)))
        guard bytes.count <= 8 else { return .unread("an integer") }
        // Little-endian two's complement of as many bytes as are needed.
        var value: Int64 = (bytes.last ?? 0) & 0x80 == 0 ? 0 : -1
        for byte in bytes.reversed() { value = value << 8 | Int64(byte) }
        return .int(Int(value))
    }

    private mutating func pushText(length: UInt64) throws {
        guard let length = Int(exactly: length), let text = text(try reader.take(length)) else {
            throw malformed("text that is overlong or not UTF-8")
        }
        guard !text.hasEndlessMarks else { throw malformed("text of nothing but combining marks") }
        stack.append(.string(text))
    }

    private func globalName(_ bytes: UnsafeRawBufferPointer) throws -> String {
        guard let name = text(bytes) else { throw malformed("a global whose name is not UTF-8") }
        return name
    }

    private mutating func pushMemo(_ index: Int) throws {
        guard let value = memo[index] else { throw malformed("a reference to value \(index), which is not there") }
        stack.append(value)
    }

    // MARK: Stack

    /// Values below the last MARK are out of reach.
    private var reachable: Int { stack.count - (marks.last ?? 0) }

    private func top() throws -> Value {
        guard reachable > 0, let value = stack.last else { throw malformed("it takes more values than it has") }
        return value
    }

    private mutating func pop() throws -> Value {
        let value = try top()
        stack.removeLast()
        return value
    }

    private mutating func pop(_ count: Int) throws -> [Value] {
        guard reachable >= count else { throw malformed("it takes more values than it has") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws -> [Value] {
        guard let mark = marks.popLast() else { throw malformed("the end of a group that did not begin") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func pushTuple(_ values: [Value]) {
        tuples.append(values)
        stack.append(.tuple(tuples.count - 1))
    }

    private mutating func pushDictionary() {
        stack.append(newDictionary())
    }

    mutating func newDictionary() -> Value {
        dictionaries.append([])
        return .dictionary(dictionaries.count - 1)
    }

    private mutating func append(_ values: [Value]) throws {
        guard case .list(let index) = try top() else { throw malformed("an item for something that is not a list") }
        lists[index].append(contentsOf: values)
    }

    private mutating func setItems(_ values: [Value]) throws {
        guard case .dictionary(let index) = try top(), values.count.isMultiple(of: 2) else {
            throw malformed("an item for something that is not a dictionary")
        }
        for item in stride(from: 0, to: values.count, by: 2) {
            dictionaries[index].append((values[item], values[item + 1]))
        }
    }
}
