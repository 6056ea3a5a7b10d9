import Checkpoints
import Foundation
import Inference
import JSON
import ModelLoading
import Testing

/// Configurations of all kinds against what transformers makes of them; Tests/Fixtures/configs/make.py wrote these.
@Suite struct ConfigTests {
    private struct Case: Decodable {
        struct Call: Decodable {
            var end: Int
            var factor: Float
            var frequencies: [Float]
        }

        var refused: String?
        var shape: [Int]?
        var epsilon: Float?
        var tied: Bool?
        var ends: [Int]?
        var calls: [Call]?
    }

    private static let file = GoldenCase.fixtures.appending(path: "configs/cases.json")

    @Test("shapes, end tokens and rotations are those of transformers")
    func cases() throws {
        let data = try Data(contentsOf: Self.file)
        let cases = try JSONDecoder().decode([Case].self, from: data)
        guard case .array(let elements) = try JSONParser.parse(String(decoding: data, as: UTF8.self)) else { return }
        #expect(cases.count == elements.count && cases.count > 150)
        let folder = FileManager.default.temporaryDirectory.appending(path: "configs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var worst: Float = 0
        for (expected, element) in zip(cases, elements) {
            guard case .object(let fields) = element, let config = fields["config"] else { continue }
            let path = folder.appending(path: "config.json")
            try Data(config.serialized.utf8).write(to: path)
            let root = try ConfigFile(path.path).root
            guard expected.refused == nil else {
                #expect(throws: (any Error).self, "\(config.serialized)") { try DecoderFamily.describe(root) }
                continue
            }
            let description: DecoderDescription
            do {
                description = try DecoderFamily.describe(root)
            } catch {
                Issue.record("\(config.serialized): \(error)")
                continue
            }
            let shape = [
                description.hiddenSize, description.intermediateSize, description.layerCount, description.headCount,
                description.kvHeadCount, description.headDim, description.vocabularySize, description.trainedContext,
            ]
            #expect(shape == expected.shape, "\(config.serialized)")
            #expect(description.normEpsilon == expected.epsilon && description.tiesEmbeddings == expected.tied)
            #expect(try DecoderFamily.endTokens(root) == expected.ends, "\(config.serialized)")
            for call in expected.calls ?? [] {
                let found = description.rope.inverseFrequencies(headDim: description.headDim, end: call.end)
                let difference = zip(found, call.frequencies).map { abs($0 - $1) / max($1, .leastNormalMagnitude) }
                let off = max(difference.max() ?? .infinity, abs(description.rope.attentionFactor - call.factor))
                // Both raise to powers in float32, each with a rounding of its own.
                #expect(
                    found.count == call.frequencies.count && off <= 1e-6,
                    "\(config.serialized), end \(call.end): \(off)")
                worst = max(worst, off)
            }
        }
        print("\(cases.count) configurations: frequencies differ by at most \(worst) of their value")
    }
}
