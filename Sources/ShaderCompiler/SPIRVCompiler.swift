import CGlslang

/// A module as SPIR-V, valid for Vulkan 1.2 and optimised.
struct CompiledModule: Sendable {
    let source: ShaderModule
    let words: [UInt32]
}

/// GLSL to SPIR-V through glslang, checked by SPIRV-Tools before and after its optimiser ran.
struct SPIRVCompiler {
    /// What became of one module.
    struct Outcome: Sendable {
        /// nil where there are errors, or where the module was left out (a note among the messages says why).
        var module: CompiledModule?
        var messages: [ShaderError] = []
    }

    init() throws {
        guard glslang_initialize_process() != 0 else {
            throw ShaderErrors(file: "glslang", line: nil, "cannot be initialized")
        }
    }

    /// Compiles all modules on the available cores. The outcomes are in the order of the modules.
    func compile(_ modules: [ShaderModule]) async -> [Outcome] {
        let known = Set(
            Set(modules.flatMap(\.requirements).map(\.shaderExtension)).filter(Self.glslangKnows))
        return await withTaskGroup(of: (Int, Outcome).self) { group in
            for (index, module) in modules.enumerated() {
                group.addTask { (index, Self.compile(module, knownExtensions: known)) }
            }
            var outcomes = [Outcome](repeating: Outcome(), count: modules.count)
            for await (index, outcome) in group { outcomes[index] = outcome }
            return outcomes
        }
    }

    /// glslang keeps its state per thread, so a module goes from start to end without suspension.
    private static func compile(_ module: ShaderModule, knownExtensions: Set<String>) -> Outcome {
        if let missing = module.requirements.first(where: { !knownExtensions.contains($0.shaderExtension) }) {
            let text = "left out, since this glslang does not know \(missing.shaderExtension)"
            return Outcome(messages: [
                ShaderError(
                    severity: .note, file: module.file, line: nil,
                    message: "\(module.title(of: missing)) is \(text)")
            ])
        }
        var outcome = Outcome()
        for optimised in [false, true] {
            let program = GLSLProgram(source: module.text)
            outcome.messages = GLSLLog(program.log).messages(in: module.file)
            guard program.isLinked else {
                if !outcome.messages.contains(where: { $0.severity == .error }) {
                    outcome.messages.append(
                        ShaderError(file: module.file, line: nil, message: "refused by glslang, which gives no reason"))
                }
                return outcome
            }
            let words = program.spirv(optimised: optimised)
            if let fault = validationFault(of: words) {
                let stage = optimised ? "after" : "before"
                outcome.messages.append(
                    ShaderError(file: module.file, line: nil, message: "invalid SPIR-V \(stage) optimising: \(fault)"))
                return outcome
            }
            if optimised { outcome.module = CompiledModule(source: module, words: words) }
        }
        return outcome
    }

    private static func glslangKnows(_ shaderExtension: String) -> Bool {
        let probe = """
            #version 460
            #extension \(shaderExtension) : require
            layout(local_size_x = 1) in;
            void main() {}

            """
        return GLSLProgram(source: probe).isLinked
    }

    /// What SPIRV-Tools' validator finds wrong for Vulkan 1.2, or nil.
    private static func validationFault(of words: [UInt32]) -> String? {
        guard let context = spvContextCreate(SPV_ENV_VULKAN_1_2) else { return "no validator for Vulkan 1.2" }
        defer { spvContextDestroy(context) }
        var diagnostic: spv_diagnostic?
        defer { spvDiagnosticDestroy(diagnostic) }
        guard spvValidateBinary(context, words, words.count, &diagnostic) != SPV_SUCCESS else { return nil }
        guard let text = diagnostic?.pointee.error else { return "the validator gives no reason" }
        return String(cString: text).split(separator: "\n").map { String($0.trimmed) }.joined(separator: "; ")
    }
}
