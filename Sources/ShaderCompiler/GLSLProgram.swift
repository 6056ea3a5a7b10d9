import CGlslang

/// One compute shader as glslang's objects. Used on the thread that made it.
struct GLSLProgram: ~Copyable {
    private let shader: OpaquePointer?
    private let program: OpaquePointer?
    /// Whether the source is free of errors.
    let isLinked: Bool
    /// glslang's messages, one a line.
    let log: String

    init(source: String) {
        let messages = GLSLANG_MSG_SPV_RULES_BIT.rawValue | GLSLANG_MSG_VULKAN_RULES_BIT.rawValue
        // Fields by name on a zeroed struct: later versions of glslang append to it.
        var input = glslang_input_t()
        input.language = GLSLANG_SOURCE_GLSL
        input.stage = GLSLANG_STAGE_COMPUTE
        input.client = GLSLANG_CLIENT_VULKAN
        input.client_version = GLSLANG_TARGET_VULKAN_1_2
        input.target_language = GLSLANG_TARGET_SPV
        input.target_language_version = GLSLANG_TARGET_SPV_1_5
        input.default_version = 460
        input.default_profile = GLSLANG_NO_PROFILE
        input.messages = glslang_messages_t(rawValue: messages)
        input.resource = glslang_default_resource()

        let program = glslang_program_create()
        // Preprocessing and parsing happen while the C string lives: glslang keeps a pointer to it.
        let (shader, isParsed, parseLog) = source.withCString { code -> (OpaquePointer?, Bool, String) in
            input.code = code
            let shader = glslang_shader_create(&input)
            let isParsed = glslang_shader_preprocess(shader, &input) != 0 && glslang_shader_parse(shader, &input) != 0
            return (shader, isParsed, Self.text(glslang_shader_get_info_log(shader)))
        }
        var log = parseLog
        var isLinked = false
        if isParsed {
            glslang_program_add_shader(program, shader)
            isLinked = glslang_program_link(program, Int32(bitPattern: messages)) != 0
            log += "\n" + Self.text(glslang_program_get_info_log(program))
        }
        self.shader = shader
        self.program = program
        self.isLinked = isLinked
        self.log = log
    }

    deinit {
        glslang_program_delete(program)
        glslang_shader_delete(shader)
    }

    /// The SPIR-V of a linked program, as generated or after SPIRV-Tools' optimiser.
    ///
    /// Consuming, since glslang 12 appends a second module to the first instead of replacing it.
    consuming func spirv(optimised: Bool) -> [UInt32] {
        var options = glslang_spv_options_t()
        options.disable_optimizer = !optimised
        // The name of glslang's only set of passes for GLSL: inlining, scalar replacement, dead code, redundancy.
        options.optimize_size = optimised
        glslang_program_SPIRV_generate_with_options(program, GLSLANG_STAGE_COMPUTE, &options)
        return Array(
            UnsafeBufferPointer(
                start: glslang_program_SPIRV_get_ptr(program), count: glslang_program_SPIRV_get_size(program)))
    }

    private static func text(_ text: UnsafePointer<CChar>?) -> String {
        text.map { String(cString: $0) } ?? ""
    }
}
