import Foundation
import PackagePlugin

/// Runs ShaderCompiler over `Shaders/` and adds the Swift file it writes to the target.
///
/// The shaders are no inputs of the command: SwiftPM lists inputs once, when it plans a build, so an edit of a file added
/// since would go unnoticed, and a file removed since would be an error. Instead the command runs in every build,
/// because it changes its own input, the state file, and finds out by itself whether there is anything to do.
@main
struct EmbedShaders: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) async throws -> [Command] {
        let shaders = context.package.directoryURL.appending(path: "Shaders", directoryHint: .isDirectory)
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedShaders.swift")
        let state = context.pluginWorkDirectoryURL.appending(path: "state")
        if !FileManager.default.fileExists(atPath: state.path(percentEncoded: false)) {
            try Data().write(to: state)
        }
        return [
            .buildCommand(
                displayName: "Compiling shaders",
                executable: try context.tool(named: "ShaderCompiler").url,
                arguments: [shaders, output, state].map { $0.path(percentEncoded: false) },
                inputFiles: [state],
                outputFiles: [output])
        ]
    }
}
