/// One module to compile: a `.comp` file with its includes, in one of its variants.
struct ShaderModule {
    /// The file's name without `.comp`.
    let name: String
    /// What messages call the file.
    let file: String
    /// In declared order.
    let variant: [VariantHeader.Choice]
    /// What glslang must know; without it the module is left out.
    let requirements: [VariantHeader.Requirement]
    let source: ExpandedSource

    /// What finds the module at run time, e.g. `linear WEIGHT=F16 TILE=8x8`.
    var key: String {
        Self.key(name, variant)
    }

    /// What a requirement is called in messages: the keys of its modules, as far as they are alike.
    func title(of requirement: VariantHeader.Requirement) -> String {
        Self.key(name, requirement.choices)
    }

    private static func key(_ name: String, _ choices: [VariantHeader.Choice]) -> String {
        ([name] + choices.map { "\($0.axis)=\($0.value)" }).joined(separator: " ")
    }

    /// GLSL, complete: the source with the variant's macros. `VariantHeader` says the rule for them.
    var text: String {
        source.text(
            with: variant.flatMap { choice in
                let named = "#define \(choice.axis)_\(choice.value) 1"
                return Self.isToken(choice.value) ? [named, "#define \(choice.axis) \(choice.value)"] : [named]
            })
    }

    /// The modules that a file makes.
    static func modules(of file: String, in folder: ShaderFolder) throws -> [ShaderModule] {
        let source = try ExpandedSource(file: file, in: folder)
        let display = folder.displayName(of: file)
        let header = try VariantHeader(lines: source.ownLines, file: display)
        return header.combinations.map { variant in
            ShaderModule(
                name: String(file.dropLast(".comp".count)), file: display, variant: variant,
                requirements: header.requirements.filter { $0.choices.allSatisfy(variant.contains) }, source: source)
        }
    }

    /// Whether a value is one identifier or one decimal number of GLSL (`010` would be octal, `8x8` is neither).
    private static func isToken(_ value: String) -> Bool {
        guard let first = value.first, first.isNumber else { return true }
        return value.allSatisfy(\.isNumber) && (first != "0" || value.count == 1)
    }
}
