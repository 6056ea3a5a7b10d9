import Foundation

/// A `.comp` file with its includes in place, and the variants it declares.
struct ShaderSource {
    /// The file's name without extension.
    let name: String
    /// As errors name it: `Shaders/linear.comp`.
    let path: String
    /// What glslang is given.
    let text: String
    let variants: [ShaderVariant]

    /// - Throws: `ShaderErrors` for a malformed header, or an include that can't be followed.
    init(file: URL, folder: URL) throws {
        name = file.deletingPathExtension().lastPathComponent
        path = "\(folder.lastPathComponent)/\(file.lastPathComponent)"
        let source = try Self.read(file, as: path)
        variants = try ShaderVariant.all(try Self.axes(of: source, in: path))
        var expansion = IncludeExpansion(folder: folder)
        try expansion.add(source, path: path)
        text = expansion.text
    }

    fileprivate static func read(_ file: URL, as path: String) throws -> String {
        do {
            return try String(contentsOf: file, encoding: .utf8)
        } catch {
            throw ShaderErrors(path, line: 1, "can't be read as UTF-8: \(error.localizedDescription)")
        }
    }

    /// The `// variant NAME: VALUE ...` lines before `#version`.
    private static func axes(of source: String, in path: String) throws -> [ShaderVariant.Axis] {
        var axes: [ShaderVariant.Axis] = []
        for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("#version") { break }
            guard line.hasPrefix("// variant ") else { continue }
            let parts = line.dropFirst("// variant ".count).split(separator: ":", maxSplits: 1)
            let values = parts.count == 2 ? parts[1].split(separator: " ").map(String.init) : []
            let axis = String(parts.first ?? "")
            let isWord = { (text: String) in
                !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            }
            guard isWord(axis), !values.isEmpty, values.allSatisfy(isWord), Set(values).count == values.count,
                !axes.contains(where: { $0.name == axis })
            else {
                throw ShaderErrors(
                    path, line: index + 1, "malformed variant; write `// variant NAME: VALUE VALUE ...`, each once")
            }
            axes.append(ShaderVariant.Axis(name: axis, values: values))
        }
        return axes
    }
}

/// One combination of a shader's axes.
struct ShaderVariant {
    struct Axis {
        var name: String
        var values: [String]
    }

    private var values: [(axis: Axis, value: String)] = []

    /// All combinations, the last axis changing fastest; one without values where there are no axes.
    static func all(_ axes: [Axis]) throws -> [ShaderVariant] {
        axes.reduce([ShaderVariant()]) { variants, axis in
            variants.flatMap { variant in
                axis.values.map { value in
                    var longer = variant
                    longer.values.append((axis, value))
                    return longer
                }
            }
        }
    }

    func key(for name: String) -> String {
        ([name] + values.map { "\($0.axis.name)=\($0.value)" }).joined(separator: " ")
    }

    /// Preprocessor lines.
    var defines: String {
        values.map { axis, value in
            let isNumeric = axis.values.allSatisfy { Int($0) != nil }
            return "#define \(axis.name)_\(value) 1\n" + (isNumeric ? "#define \(axis.name) \(value)\n" : "")
        }.joined()
    }
}

/// Puts included files in place, with `#line` so that errors name the file and line people edit.
private struct IncludeExpansion {
    let folder: URL
    private(set) var text = ""
    private var included: Set<String> = []
    private var open: [String] = []

    init(folder: URL) {
        self.folder = folder
    }

    mutating func add(_ source: String, path: String) throws {
        for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("#version") {
                text += line + "\n#extension GL_GOOGLE_cpp_style_line_directive : require\n"
                text += "#line \(index + 2) \"\(path)\"\n"
            } else if line.hasPrefix("#include") {
                try include(line, from: path, line: index + 1)
                text += "#line \(index + 2) \"\(path)\"\n"
            } else {
                text += line + "\n"
            }
        }
    }

    private mutating func include(_ line: Substring, from path: String, line number: Int) throws {
        let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "#include " else {
            throw ShaderErrors(path, line: number, "malformed include; write `#include \"file.glsl\"`")
        }
        let name = String(parts[1])
        guard !name.isEmpty, !name.contains("/"), name != ".." else {
            throw ShaderErrors(path, line: number, "\"\(name)\" is no file of \(folder.lastPathComponent)")
        }
        guard !open.contains(name) else {
            throw ShaderErrors(
                path, line: number, "\(name) includes itself: \((open + [name]).joined(separator: ", "))")
        }
        guard included.insert(name).inserted else { return }
        let file = folder.appending(path: name)
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw ShaderErrors(path, line: number, "\(name) is not in \(folder.lastPathComponent)")
        }
        let includedPath = "\(folder.lastPathComponent)/\(name)"
        open.append(name)
        text += "#line 1 \"\(includedPath)\"\n"
        try add(try ShaderSource.read(file, as: includedPath), path: includedPath)
        open.removeLast()
    }
}
