import Foundation

/// The Swift file that embeds modules: base64 in static strings, which compile in no time where arrays do not.
struct SwiftSource {
    var modules: [ShaderModule]

    var text: String {
        let entries = modules.map { module in
            let bytes = module.words.withUnsafeBytes { Data($0) }
            return "        EmbeddedShader(key: \"\(module.key)\", base64: \"\(bytes.base64EncodedString())\"),\n"
        }
        return """
            // Made by ShaderCompiler from the folder Shaders. Edits are lost.
            import Foundation

            /// A SPIR-V module in the binary.
            struct EmbeddedShader: Sendable {
                /// The shader's file and variant, such as `linear TYPE=F16 TILE=8x8`.
                let key: String
                let base64: StaticString

                /// The module's words.
                func spirv() -> [UInt32] {
                    let text = base64.withUTF8Buffer { Data($0) }
                    guard let bytes = Data(base64Encoded: text) else { return [] }
                    return bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
                }
            }

            enum EmbeddedShaders {
                /// Changes with any module.
                static let hash = "\(String(hash, radix: 16))"

                static let all: [EmbeddedShader] = [
            \(entries.joined())    ]

                /// The module of that key.
                static func shader(_ key: String) -> EmbeddedShader? { byKey[key] }

                private static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })
            }

            """
    }

    /// FNV-1a over all keys and words.
    private var hash: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for module in modules {
            module.key.utf8.forEach(add)
            module.words.withUnsafeBytes { $0.forEach(add) }
        }
        return hash
    }
}
