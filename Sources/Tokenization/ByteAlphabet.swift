/// The alphabet of byte-level BPE (GPT-2): each byte has a printable character, so that a vocabulary of raw bytes can be
/// written as text. Printable Latin-1 stands for itself; the other 68 bytes take U+0100 upward, in order.
enum ByteAlphabet {
    /// The character of each byte; all are below U+0144.
    static let scalars: [UInt16] = {
        var spare: UInt16 = 0x100
        return (0...255).map { (byte: UInt16) in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
                return byte
            default:
                spare += 1
                return spare - 1
            }
        }
    }()

    private static let bytes: [UInt8?] = {
        var table = [UInt8?](repeating: nil, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar)] = UInt8(byte) }
        return table
    }()

    /// Appends the UTF-8 of the characters of `raw`.
    static func appendSpelling(of raw: some Sequence<UInt8>, to output: inout [UInt8]) {
        for byte in raw {
            let scalar = scalars[Int(byte)]
            if scalar < 0x80 {
                output.append(UInt8(scalar))
            } else {
                output.append(0xC0 | UInt8(scalar >> 6))
                output.append(0x80 | UInt8(scalar & 0x3F))
            }
        }
    }

    /// Appends the bytes a spelling stands for, or the spelling itself when it has a character outside the alphabet
    /// (as added tokens may).
    static func appendBytes(of spelling: some Collection<UInt8>, to output: inout [UInt8]) {
        let start = output.count
        var rest = spelling.makeIterator()
        while let first = rest.next() {
            var scalar = Int(first)
            if first >= 0x80 {
                // The alphabet ends below U+0800: a longer sequence is no part of it.
                scalar = first < 0xE0 ? Int(first & 0x1F) << 6 | Int(rest.next() ?? 0) & 0x3F : bytes.count
            }
            guard scalar < bytes.count, let byte = bytes[scalar] else {
                output.removeSubrange(start...)
                output.append(contentsOf: spelling)
                return
            }
            output.append(byte)
        }
    }
}
