// swift-tools-version: 6.0
import PackageDescription

// The readers of strangers' files and what they need, without the rest of the program: Tools/fuzz.sh builds them with
// libFuzzer and AddressSanitizer. `Sources` and `Tests` are links to the folders of that name.
let package = Package(
    name: "fuzz",
    targets: [
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8"),
        .target(name: "JSON"),
        .target(name: "OutputFiles"),
        .target(name: "Terminal", dependencies: ["OutputFiles"]),
        .target(name: "Checkpoints", dependencies: ["JSON", "OutputFiles"]),
        .target(name: "Jinja", dependencies: ["JSON"]),
        .target(name: "Tokenization", dependencies: ["CPCRE2", "JSON"]),
        .target(name: "Inference"),
        .target(name: "Chat", dependencies: ["Checkpoints", "Inference", "JSON", "Jinja", "Tokenization"]),
        .target(name: "Evaluation", dependencies: ["Chat", "Inference", "JSON", "OutputFiles", "Terminal"]),
        .target(name: "ModelLoading", dependencies: ["Checkpoints", "Inference"]),
        .target(
            name: "FuzzReaders",
            dependencies: [
                "Chat", "Checkpoints", "Evaluation", "Inference", "JSON", "Jinja", "ModelLoading", "Tokenization",
            ],
            path: "Tests/FuzzTests/Readers"),
        // libFuzzer has the main function.
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzReaders"], path: "Fuzz",
            swiftSettings: [.unsafeFlags(["-parse-as-library"])]),
    ]
)
