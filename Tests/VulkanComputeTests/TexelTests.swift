import Testing
import VulkanCompute

/// Buffers that kernels read as texels of four u32.
@Suite struct TexelTests {
    /// Workgroup i: `b[i] = a[i / 4][i % 4]`, with `a` a texel buffer.
    private static func kernel() throws -> KernelDescription {
        KernelDescription(label: "texels", spirv: try module.get(), storageBuffers: 2, texelBindings: [0])
    }

    @Test func texelsAreTheBytesOfTheBinding() throws {
        try withDevice { device in
            let kernel = try device.makeKernels([Self.kernel()])[0]
            let alignment = device.description.limits.bindingAlignment
            let skipped = alignment / 4
            let source = try device.makeBuffer(label: "source", byteCount: alignment + 64)
            let target = try device.makeBuffer(label: "target", byteCount: 64)
            try device.upload((0..<UInt32(skipped + 16)).map { $0 * 3 }, to: source)
            let recorder = try device.makeRecorder(label: "list")
            try recorder.dispatch(
                kernel, bindings: [.read(source, offset: alignment, byteCount: 64), .write(target)], groups: (16, 1, 1))
            // Read after write, with a barrier between: texels count as reads.
            try recorder.copy(from: target, to: source, toOffset: alignment, byteCount: 32)
            try recorder.dispatch(
                kernel, bindings: [.read(source, offset: alignment, byteCount: 32), .write(target)], groups: (8, 1, 1))
            #expect(recorder.barrierCount == 2)
            try device.submit(recorder.finish())
            #expect(
                try device.download(UInt32.self, from: target, count: 16)
                    == (0..<16).map { (UInt32(skipped) + $0) * 3 })
        }
    }

    @Test func bindingsAreWholeTexels() throws {
        try withDevice { device in
            let kernel = try device.makeKernels([Self.kernel()])[0]
            let buffer = try device.makeBuffer(label: "words", byteCount: 1024)
            let target = try device.makeBuffer(label: "target", byteCount: 64)
            let recorder = try device.makeRecorder(label: "list")
            for (binding, problem) in [
                (BufferBinding.read(buffer, byteCount: 40), "binding 0 (words) is 40 bytes, no whole number of texels"),
                (BufferBinding.read(buffer, offset: 4, byteCount: 16), "which is no multiple of"),
            ] {
                let error = #expect(throws: VulkanError.self) {
                    try recorder.dispatch(kernel, bindings: [binding, .write(target)], groups: (1, 1, 1))
                }
                #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
            }
            #expect(recorder.dispatchCount == 0)
        }
    }

    private static let module = Result {
        try assemble(
            """
            OpCapability Shader
            OpCapability SampledBuffer
            OpMemoryModel Logical GLSL450
            OpEntryPoint GLCompute %main "main" %group %A %B
            OpExecutionMode %main LocalSize 1 1 1
            OpDecorate %group BuiltIn WorkgroupId
            OpDecorate %words ArrayStride 4
            OpDecorate %Target Block
            OpMemberDecorate %Target 0 Offset 0
            OpDecorate %A DescriptorSet 0
            OpDecorate %A Binding 0
            OpDecorate %B DescriptorSet 0
            OpDecorate %B Binding 1
            %void = OpTypeVoid
            %function = OpTypeFunction %void
            %uint = OpTypeInt 32 0
            %uint3 = OpTypeVector %uint 3
            %uint4 = OpTypeVector %uint 4
            %Texels = OpTypeImage %uint Buffer 0 0 0 1 Unknown
            %words = OpTypeRuntimeArray %uint
            %Target = OpTypeStruct %words
            %pointer_group = OpTypePointer Input %uint3
            %pointer_input = OpTypePointer Input %uint
            %pointer_texels = OpTypePointer UniformConstant %Texels
            %pointer_target = OpTypePointer StorageBuffer %Target
            %pointer_word = OpTypePointer StorageBuffer %uint
            %zero = OpConstant %uint 0
            %four = OpConstant %uint 4
            %group = OpVariable %pointer_group Input
            %A = OpVariable %pointer_texels UniformConstant
            %B = OpVariable %pointer_target StorageBuffer
            %main = OpFunction %void None %function
            %start = OpLabel
            %place = OpAccessChain %pointer_input %group %zero
            %i = OpLoad %uint %place
            %texel_index = OpUDiv %uint %i %four
            %component = OpUMod %uint %i %four
            %texels = OpLoad %Texels %A
            %texel = OpImageFetch %uint4 %texels %texel_index
            %word = OpVectorExtractDynamic %uint %texel %component
            %to = OpAccessChain %pointer_word %B %zero %i
            OpStore %to %word
            OpReturn
            OpFunctionEnd
            """)
    }
}
