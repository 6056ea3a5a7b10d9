import CVulkan

/// C memory that lives as long as the closure of `withScratch`: structures, arrays and strings that Vulkan calls point
/// to, without nesting a closure for each.
final class Scratch {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// A copy of `value` at a stable address.
    func pointer<T: BitwiseCopyable>(to value: T) -> UnsafeMutablePointer<T> {
        let pointer = UnsafeMutablePointer<T>.allocate(capacity: 1)
        pointer.initialize(to: value)
        blocks.append(UnsafeMutableRawPointer(pointer))
        return pointer
    }

    /// A copy of `values` at a stable address, nil when there are none.
    func array<T: BitwiseCopyable>(_ values: [T]) -> UnsafePointer<T>? {
        guard !values.isEmpty else { return nil }
        let pointer = UnsafeMutablePointer<T>.allocate(capacity: values.count)
        pointer.initialize(from: values, count: values.count)
        blocks.append(UnsafeMutableRawPointer(pointer))
        return UnsafePointer(pointer)
    }

    /// `text` as a C string.
    func cString(_ text: String) -> UnsafePointer<CChar>? {
        array(text.utf8CString.map { $0 })
    }

    /// The C strings of `texts`, as Vulkan takes lists of names.
    func cStrings(_ texts: [String]) -> UnsafePointer<UnsafePointer<CChar>?>? {
        array(texts.map { cString($0) })
    }
}

/// Structures that one Vulkan call takes, each pointing to the one before: every extensible structure starts with its type and
/// the pointer to the next.
struct StructureChain {
    private let scratch: Scratch
    private let extensions: Set<String>
    /// What the call is given, or the structure that heads the chain.
    private(set) var first: UnsafeMutableRawPointer?

    /// An empty chain of copies in `scratch`'s memory, for a device with these extensions.
    init(_ scratch: Scratch, extensions: Set<String> = []) {
        self.scratch = scratch
        self.extensions = extensions
    }

    /// Puts a copy of a structure of this type in front.
    @discardableResult
    mutating func link<T: BitwiseCopyable>(_ structure: T, _ type: VkStructureType) -> UnsafeMutablePointer<T> {
        let pointer = scratch.pointer(to: structure)
        let raw = UnsafeMutableRawPointer(pointer)
        raw.storeBytes(of: type, as: VkStructureType.self)
        raw.storeBytes(
            of: first, toByteOffset: MemoryLayout<UnsafeRawPointer>.stride, as: UnsafeMutableRawPointer?.self)
        first = raw
        return pointer
    }

    /// Does so if the device has the extension that the structure belongs to.
    mutating func link<T: BitwiseCopyable>(
        _ structure: T, _ type: VkStructureType, of extensionName: String
    ) -> UnsafeMutablePointer<T>? {
        extensions.contains(extensionName) ? link(structure, type) : nil
    }
}

func withScratch<Result: ~Copyable, Failure: Error>(
    _ body: (Scratch) throws(Failure) -> Result
) throws(Failure) -> Result {
    let scratch = Scratch()
    defer { withExtendedLifetime(scratch) {} }
    return try body(scratch)
}

/// The text of a fixed-size C character array, up to its first zero.
func text<T: BitwiseCopyable>(ofCharacters characters: T) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

/// Calls a Vulkan enumeration twice: for the number, then for the items; and once more where there came to be more in between.
///
/// - Parameters:
///   - empty: an item with its type and `pNext` filled in, where it has them.
///   - name: the call's, for errors.
/// - Throws: what `call` returns other than success.
package func enumerate<T: BitwiseCopyable>(
    of empty: T, _ name: String,
    _ call: (UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<T>?) throws -> VkResult
) throws -> [T] {
    while true {
        var count: UInt32 = 0
        try check(call(&count, nil), name)
        guard count > 0 else { return [] }
        var items = [T](repeating: empty, count: Int(count))
        let result = try items.withUnsafeMutableBufferPointer { try call(&count, $0.baseAddress) }
        if result == VK_INCOMPLETE { continue }
        try check(result, name)
        return Array(items.prefix(Int(count)))
    }
}
