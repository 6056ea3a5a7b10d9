import CGlslang

/// GLSL to optimised and validated SPIR-V for Vulkan 1.2, through glslang and SPIRV-Tools.
final class SpirvCompiler {
    init() {
        _ = glslang_initialize_process()
    }

    deinit {
        glslang_finalize_process()
    }

    /// - Parameter defines: preprocessor lines that go before the source.
    /// - Throws: `ShaderErrors` with the compiler's or the validator's words.
    func compile(_ source: ShaderSource, defines: String) throws -> [UInt32] {
        let words = try source.text.withCString { try generate($0, defines, source.path) }
        try validate(words, source.path)
        return words
    }

    private func generate(_ code: UnsafePointer<CChar>, _ defines: String, _ path: String) throws -> [UInt32] {
        let messages = glslang_messages_t(
            GLSLANG_MSG_SPV_RULES_BIT.rawValue | GLSLANG_MSG_VULKAN_RULES_BIT.rawValue)
        var input = glslang_input_t()
        input.language = GLSLANG_SOURCE_GLSL
        input.stage = GLSLANG_STAGE_COMPUTE
        input.client = GLSLANG_CLIENT_VULKAN
        input.client_version = GLSLANG_TARGET_VULKAN_1_2
        input.target_language = GLSLANG_TARGET_SPV
        input.target_language_version = GLSLANG_TARGET_SPV_1_5
        input.code = code
        input.default_version = 460
        input.default_profile = GLSLANG_NO_PROFILE
        input.messages = messages
        input.resource = glslang_default_resource()

        let shader = glslang_shader_create(&input)
        defer { glslang_shader_delete(shader) }
        return try defines.withCString { defines in
            glslang_shader_set_preamble(shader, defines)
            guard glslang_shader_preprocess(shader, &input) != 0, glslang_shader_parse(shader, &input) != 0 else {
                throw Self.errors(glslang_shader_get_info_log(shader), path)
            }
            let program = glslang_program_create()
            defer { glslang_program_delete(program) }
            glslang_program_add_shader(program, shader)
            guard glslang_program_link(program, Int32(bitPattern: messages.rawValue)) != 0 else {
                throw Self.errors(glslang_program_get_info_log(program), path)
            }
            var options = glslang_spv_options_t()
            options.strip_debug_info = true
            glslang_program_SPIRV_generate_with_options(program, GLSLANG_STAGE_COMPUTE, &options)
            let count = glslang_program_SPIRV_get_size(program)
            guard count > 0, let words = glslang_program_SPIRV_get_ptr(program) else {
                throw Self.errors(glslang_program_SPIRV_get_messages(program), path)
            }
            return Array(UnsafeBufferPointer(start: words, count: count))
        }
    }

    private func validate(_ words: [UInt32], _ path: String) throws {
        let context = spvContextCreate(SPV_ENV_VULKAN_1_2)
        defer { spvContextDestroy(context) }
        var diagnostic: spv_diagnostic?
        let result = words.withUnsafeBufferPointer {
            spvValidateBinary(context, $0.baseAddress, $0.count, &diagnostic)
        }
        defer { spvDiagnosticDestroy(diagnostic) }
        guard result == SPV_SUCCESS else {
            let text = diagnostic.flatMap { $0.pointee.error }.map { String(cString: $0) } ?? "no reason given"
            throw ShaderErrors(path, line: 1, "the SPIR-V is not valid: \(text)")
        }
    }

    /// Turns glslang's `ERROR: Shaders/linear.comp:41: text` into `Shaders/linear.comp:41: error: text`.
    private static func errors(_ log: UnsafePointer<CChar>?, _ path: String) -> ShaderErrors {
        let lines = (log.map { String(cString: $0) } ?? "").split(separator: "\n")
        let errors = lines.compactMap { line -> String? in
            guard line.hasPrefix("ERROR: ") else { return nil }
            let parts = line.dropFirst("ERROR: ".count).split(separator: ":", maxSplits: 2)
            guard parts.count == 3, Int(parts[1]) != nil else { return nil }
            return "\(parts[0]):\(parts[1]): error:\(parts[2])"
        }
        // A message of another form, such as the linker's, is given whole.
        return ShaderErrors(
            lines: errors.isEmpty ? ["\(path):1: error: \(lines.joined(separator: " "))"] : errors)
    }
}
