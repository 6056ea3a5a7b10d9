// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "c2c-vk",
    products: [
        .executable(name: "c2c-vk", targets: ["c2c-vk"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    ],
    targets: [
        // System libraries: module maps, no code.
        .systemLibrary(name: "CVulkan", pkgConfig: "vulkan", providers: [.apt(["libvulkan-dev"])]),
        .systemLibrary(name: "CGlslang", pkgConfig: "glslang", providers: [.apt(["glslang-dev", "spirv-tools"])]),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),

        // Shaders/*.comp -> SPIR-V -> Swift, at build time.
        .executableTarget(name: "ShaderCompiler", dependencies: ["CGlslang"]),
        .plugin(
            name: "EmbedShaders", capability: .buildTool(), dependencies: ["ShaderCompiler"],
            path: "Sources/EmbedShaders"),

        // A folder's files -> base64 -> Swift, at build time.
        .executableTarget(name: "FileEmbedder"),
        .plugin(
            name: "EmbedFiles", capability: .buildTool(), dependencies: ["FileEmbedder"], path: "Sources/EmbedFiles"),

        .target(
            name: "VulkanCompute",
            dependencies: ["CVulkan", "OutputFiles", .product(name: "Logging", package: "swift-log")]),
        .target(name: "JSON"),
        .target(name: "OutputFiles"),
        .target(name: "Terminal", dependencies: ["OutputFiles"]),
        .target(name: "Checkpoints", dependencies: ["JSON", "OutputFiles"]),
        .target(name: "Jinja", dependencies: ["JSON"]),
        .target(name: "Tokenization", dependencies: ["CPCRE2", "JSON"]),
        .target(name: "Inference"),
        .target(name: "ReferenceBackend", dependencies: ["Inference"]),
        .target(name: "VulkanBackend", dependencies: ["VulkanCompute", "Inference"], plugins: ["EmbedShaders"]),
        .target(name: "Chat", dependencies: ["Checkpoints", "Inference", "JSON", "Jinja", "Tokenization"]),
        .target(name: "Evaluation", dependencies: ["Chat", "Inference", "JSON", "OutputFiles", "Terminal"]),
        .target(name: "DemoPair", exclude: ["Resources"], plugins: ["EmbedFiles"]),
        .target(name: "ModelLoading", dependencies: ["Checkpoints", "Inference"]),
        .executableTarget(
            name: "c2c-vk",
            dependencies: [
                "Chat", "Checkpoints", "DemoPair", "Evaluation", "Inference", "JSON", "Jinja", "ModelLoading",
                "OutputFiles", "ReferenceBackend", "Terminal", "Tokenization",
                "VulkanBackend", "VulkanCompute",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),

        .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "JSON"]),
        .testTarget(
            name: "JinjaTests", dependencies: ["Jinja", "JSON"]),
        .testTarget(name: "OutputFilesTests", dependencies: ["OutputFiles"]),
        .testTarget(name: "TerminalTests", dependencies: ["Terminal"]),
        .testTarget(name: "TokenizationTests", dependencies: ["Tokenization"]),
        .testTarget(name: "ShaderCompilerTests", dependencies: ["ShaderCompiler"]),
        .testTarget(name: "VulkanComputeTests", dependencies: ["VulkanCompute"]),
        .testTarget(name: "InferenceTests", dependencies: ["Inference", "ReferenceBackend"]),
        .testTarget(
            name: "KernelTests", dependencies: ["Inference", "ReferenceBackend", "VulkanBackend", "VulkanCompute"]),
        .testTarget(
            name: "GoldenTests",
            dependencies: [
                "Checkpoints", "DemoPair", "Inference", "JSON", "ModelLoading", "ReferenceBackend", "Tokenization",
                "VulkanBackend", "VulkanCompute",
            ]),
        .testTarget(
            name: "ChatTests",
            dependencies: ["Chat", "Checkpoints", "Inference", "JSON", "Jinja", "ModelLoading", "ReferenceBackend"]),
        .testTarget(name: "EvaluationTests", dependencies: ["Evaluation"]),
        .testTarget(name: "CommandTests", dependencies: ["c2c-vk"]),

        // What the fuzzer of Tools/fuzz.sh calls, and its corpus as a test.
        .target(
            name: "FuzzReaders",
            dependencies: [
                "Chat", "Checkpoints", "Evaluation", "Inference", "JSON", "Jinja", "ModelLoading", "Tokenization",
            ],
            path: "Tests/FuzzTests/Readers"),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzReaders"], exclude: ["Corpus", "Readers"]),
    ]
)
