import Foundation
import PackagePlugin

/// Embeds the folder `Resources` of a target: `EmbeddedFiles` holds its files.
@main
struct EmbedFiles: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = context.package.directoryURL.appending(path: "Sources/\(target.name)/Resources")
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedFiles.swift")
        let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey])
        let inputs = (found?.compactMap { $0 as? URL } ?? []).filter { !$0.hasDirectoryPath }
        return [
            .buildCommand(
                displayName: "Embedding \(target.name)", executable: try context.tool(named: "FileEmbedder").url,
                arguments: [folder.path, output.path], inputFiles: inputs, outputFiles: [output])
        ]
    }
}
