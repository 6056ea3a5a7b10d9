/// Text that equals other text byte by byte, as a key of dictionaries.
///
/// Swift takes canonically equivalent texts for one `String`: the Kelvin sign for "K", a letter with its accent for both apart.
/// Files tell them apart, as Python does. Hashing costs time in proportion to the length, whatever characters it combines.
package struct ExactText: Hashable, Sendable, ExpressibleByStringLiteral {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package init(stringLiteral text: String) {
        self.text = text
    }

    package static func == (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}
