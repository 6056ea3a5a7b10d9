import Foundation
import PackagePlugin

/// Runs `ShaderCompiler` over the package's `Shaders` when one of them changes, for the target that uses the plugin.
@main
struct EmbedShaders: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) async throws -> [Command] {
        let shaders = context.package.directoryURL.appending(path: "Shaders")
        let inputs = try FileManager.default.contentsOfDirectory(at: shaders, includingPropertiesForKeys: nil)
            .filter { ["comp", "glsl"].contains($0.pathExtension) }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedShaders.swift")
        return [
            .buildCommand(
                displayName: "Compiling shaders", executable: try context.tool(named: "ShaderCompiler").url,
                arguments: [shaders.path, output.path], inputFiles: inputs, outputFiles: [output])
        ]
    }
}
