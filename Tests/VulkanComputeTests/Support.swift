import Foundation
import Logging
import Testing
import VulkanCompute

/// Validation is slow, so it is asked for: C2C_VK_VALIDATION=1.
let validationIsOn = ProcessInfo.processInfo.environment["C2C_VK_VALIDATION"] == "1"

/// Runs `body` on a fresh default device, then checks that the validation layers had nothing to say, also not about
/// what is still alive when the device goes.
func withDevice(_ options: DeviceOptions = DeviceOptions(), _ body: (Device) throws -> Void) throws {
    let instance = try Instance(validation: validationIsOn, logger: quietLogger)
    do {
        let device = try Device(instance.chooseDevice(), of: instance, options: options)
        try body(device)
    }
    if let validation = instance.validation {
        #expect(validation.messages == [])
    }
}

/// Tests that expect warnings look at the log, not at the terminal.
let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// What `spirv-as` makes of `assembly`.
func assemble(_ assembly: String) throws -> [UInt32] {
    let folder = try TemporaryFolder()
    let (source, result) = (folder.url.appendingPathComponent("a.spvasm"), folder.url.appendingPathComponent("a.spv"))
    try assembly.write(to: source, atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["spirv-as", "--target-env", "vulkan1.2", source.path, "-o", result.path]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "spirv-as (package spirv-tools) failed")
    return try Data(contentsOf: result).withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
}

/// A folder that goes with its last reference.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("vulkan-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }
}

/// The kernels of these tests, of the form `b[i] = f(a[i], b[i])` for `i < count`, 64 invocations a workgroup.
enum TestKernel {
    struct Constants {
        var count: UInt32
        var addend: UInt32
    }

    /// `b[i] = a[i] * factor + addend`; factor is specialization constant 0, 1 unless given.
    static func scale(factor: UInt32 = 1, label: String = "scale") throws -> KernelDescription {
        KernelDescription(
            label: label, spirv: try scaleModule.get(), storageBuffers: 2,
            pushConstantBytes: MemoryLayout<Constants>.size, specialization: [(0, factor)])
    }

    /// `b[i] = (a[i] + b[i]) * factor + addend`.
    static func accumulate() throws -> KernelDescription {
        KernelDescription(
            label: "accumulate", spirv: try accumulateModule.get(), storageBuffers: 2,
            pushConstantBytes: MemoryLayout<Constants>.size)
    }

    /// `b[i]` = the invocations of i's subgroup.
    static func subgroupSize(_ required: Int) throws -> KernelDescription {
        KernelDescription(
            label: "subgroups of \(required)", spirv: try subgroupSizeModule.get(), storageBuffers: 2,
            pushConstantBytes: MemoryLayout<Constants>.size, subgroupSize: required)
    }

    private static let scaleModule = Result { try assemble(module(input: "%x = OpCopyObject %uint %a")) }
    private static let accumulateModule = Result {
        try assemble(module(input: "%b = OpLoad %uint %to\n%x = OpIAdd %uint %a %b"))
    }

    private static let subgroupSizeModule = Result {
        try assemble(module(input: "%x = OpLoad %uint %subgroup_size"))
    }

    private static func module(input: String) -> String {
        """
        OpCapability Shader
        OpCapability GroupNonUniform
        OpMemoryModel Logical GLSL450
        OpEntryPoint GLCompute %main "main" %id %subgroup_size %constants %A %B
        OpExecutionMode %main LocalSize 64 1 1
        OpDecorate %id BuiltIn GlobalInvocationId
        OpDecorate %subgroup_size BuiltIn SubgroupSize
        OpDecorate %Constants Block
        OpMemberDecorate %Constants 0 Offset 0
        OpMemberDecorate %Constants 1 Offset 4
        OpDecorate %words ArrayStride 4
        OpDecorate %Source Block
        OpMemberDecorate %Source 0 Offset 0
        OpMemberDecorate %Source 0 NonWritable
        OpDecorate %Target Block
        OpMemberDecorate %Target 0 Offset 0
        OpDecorate %A DescriptorSet 0
        OpDecorate %A Binding 0
        OpDecorate %B DescriptorSet 0
        OpDecorate %B Binding 1
        OpDecorate %factor SpecId 0
        %void = OpTypeVoid
        %function = OpTypeFunction %void
        %bool = OpTypeBool
        %uint = OpTypeInt 32 0
        %uint3 = OpTypeVector %uint 3
        %words = OpTypeRuntimeArray %uint
        %Source = OpTypeStruct %words
        %Target = OpTypeStruct %words
        %Constants = OpTypeStruct %uint %uint
        %pointer_id = OpTypePointer Input %uint3
        %pointer_input = OpTypePointer Input %uint
        %pointer_source = OpTypePointer StorageBuffer %Source
        %pointer_target = OpTypePointer StorageBuffer %Target
        %pointer_word = OpTypePointer StorageBuffer %uint
        %pointer_constants = OpTypePointer PushConstant %Constants
        %pointer_constant = OpTypePointer PushConstant %uint
        %zero = OpConstant %uint 0
        %one = OpConstant %uint 1
        %factor = OpSpecConstant %uint 1
        %id = OpVariable %pointer_id Input
        %subgroup_size = OpVariable %pointer_input Input
        %A = OpVariable %pointer_source StorageBuffer
        %B = OpVariable %pointer_target StorageBuffer
        %constants = OpVariable %pointer_constants PushConstant
        %main = OpFunction %void None %function
        %start = OpLabel
        %place = OpAccessChain %pointer_input %id %zero
        %i = OpLoad %uint %place
        %place_count = OpAccessChain %pointer_constant %constants %zero
        %count = OpLoad %uint %place_count
        %inside = OpULessThan %bool %i %count
        OpSelectionMerge %end None
        OpBranchConditional %inside %work %end
        %work = OpLabel
        %from = OpAccessChain %pointer_word %A %zero %i
        %a = OpLoad %uint %from
        %to = OpAccessChain %pointer_word %B %zero %i
        \(input)
        %product = OpIMul %uint %x %factor
        %place_addend = OpAccessChain %pointer_constant %constants %one
        %addend = OpLoad %uint %place_addend
        %result = OpIAdd %uint %product %addend
        OpStore %to %result
        OpBranch %end
        %end = OpLabel
        OpReturn
        OpFunctionEnd
        """
    }
}

extension CommandRecorder {
    /// Dispatches a test kernel over the first `count` words of `from` and `to`.
    func run(
        _ kernel: Kernel, from: Buffer, to: Buffer, count: Int, addend: UInt32 = 0, cost: DispatchCost = .init(),
        toAccess: BufferBinding.Access = .write
    ) throws {
        try dispatch(
            kernel,
            bindings: [
                .read(from, byteCount: count * 4), BufferBinding(to, byteCount: count * 4, access: toAccess),
            ],
            pushConstants: TestKernel.Constants(count: UInt32(count), addend: addend),
            groups: ((count + 63) / 64, 1, 1), cost: cost)
    }
}
