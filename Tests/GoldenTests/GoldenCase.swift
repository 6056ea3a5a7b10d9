import Checkpoints
import Foundation
import Inference
import ModelLoading

/// A case of Tests/Fixtures/golden; see the README there.
struct GoldenCase {
    /// What one generation is to give.
    struct Expectation {
        /// Before the names in `expected.safetensors`: empty, or a sub-case's name and a dot.
        var prefix: String
        var prompt: Prompt
        var fusion: FusionMode
        var tokens: [Int]
    }

    /// Where the models are.
    let models: URL
    /// Whether new tokens are fused too.
    let includesResponse: Bool
    let maxNewTokens: Int
    let receiverAloneTokens: [Int]?
    let expectations: [Expectation]
    let expected: SafetensorsFile

    static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures")

    init(_ name: String) throws {
        let folder = Self.fixtures.appending(path: "golden/\(name)")
        let file = try JSONDecoder().decode(
            CaseFile.self, from: Data(contentsOf: folder.appending(path: "case.json")))
        models = Self.fixtures.appending(path: "golden/\(file.uses ?? name)")
        includesResponse = file.include_response ?? false
        maxNewTokens = file.max_new_tokens
        receiverAloneTokens = file.receiver_alone_tokens
        expected = try SafetensorsFile(folder.appending(path: "expected.safetensors").path)
        let ids = file.prompt_ids ?? []
        if let sub = file.sub {
            expectations = sub.sorted { $0.key < $1.key }.map { $1.expectation(prefix: "\($0).", ids) }
        } else {
            let sections = [[ids.count - 1, 1], [1, -1]]
            let whole = CaseFile.Sub(
                fusion: file.fusion, sections: file.sections ?? sections, tokens: file.tokens ?? [])
            expectations = [whole.expectation(prefix: "", ids)]
        }
    }

    /// `sharer`, or `sharer0`, `sharer1`, ...; likewise fusers.
    func folders(_ kind: String) -> [String] {
        let names = [kind] + (0..<4).map { "\(kind)\($0)" }
        return names.map { models.appending(path: $0).path }.filter { FileManager.default.fileExists(atPath: $0) }
    }

    /// A tensor of `expected.safetensors`, row-major.
    func floats(_ name: String) throws -> [Float] {
        try expected.tensor(name).floats()
    }

    private struct CaseFile: Decodable {
        struct Sub: Decodable {
            var fusion: String?
            var sections: [[Int]]
            var tokens: [Int]
            // Where tokenizers differ, each side has its own ids, and flags that are 1 at padding.
            var prompt_ids: [Int]?
            var sharer_prompt_ids: [Int]?
            var padding: [Int]?
            var sharer_padding: [Int]?

            func expectation(prefix: String, _ sharedIDs: [Int]) -> Expectation {
                Expectation(
                    prefix: prefix,
                    prompt: Prompt(
                        sequence(prompt_ids ?? sharedIDs, padding),
                        sharers: sharer_prompt_ids.map { [sequence($0, sharer_padding)] } ?? [],
                        sections: sections.map { Section(length: $0[0], sharerMask: $0[1]) }),
                    fusion: fusion == "parallel" ? .parallel : .sequential, tokens: tokens)
            }

            private func sequence(_ ids: [Int], _ flags: [Int]?) -> TokenSequence {
                TokenSequence(ids, padding: Set(ids.indices.filter { flags?[$0] == 1 }))
            }
        }

        /// The case whose models are used, if not its own.
        var uses: String?
        var include_response: Bool?
        /// Missing where the sub-cases have their own.
        var prompt_ids: [Int]?
        var max_new_tokens: Int
        var receiver_alone_tokens: [Int]?
        var fusion: String?
        var sections: [[Int]]?
        var tokens: [Int]?
        var sub: [String: Sub]?
    }
}

/// Models of a case in a backend's memory.
struct LoadedCase {
    let golden: GoldenCase
    let backend: any Backend
    let receiver: Decoder
    let sharers: [Sharer]

    init(_ golden: GoldenCase, on backend: any Backend) throws {
        self.golden = golden
        self.backend = backend
        let directory = try ModelDirectory(golden.models.appending(path: "receiver").path)
        receiver = try directory.load(as: "receiver", extent: .full(directory.description), on: backend)
        sharers = try zip(golden.folders("sharer"), golden.folders("fuser")).enumerated().map { index, pair in
            let model = try ModelDirectory(pair.0)
            return Sharer(
                decoder: try model.load(
                    as: "sharer\(index)", extent: .cacheOnly(layerCount: model.description.layerCount), on: backend),
                fuser: try FuserCheckpoint(pair.1).load(as: "fuser\(index)", on: backend))
        }
    }

    func session(
        _ fusion: FusionMode = .sequential, withSharers: Bool, cacheType: ElementType, chunk: Int = 512,
        sequenceCount: Int = 1, overlapsPrefill: Bool? = nil
    ) throws -> Session {
        try Session(
            on: backend, receiver: receiver, sharers: withSharers ? sharers : [], fusionMode: fusion,
            includesResponse: golden.includesResponse,
            capacity: (golden.expectations.map(\.prompt.count).max() ?? 0) + golden.maxNewTokens, cacheType: cacheType,
            sequenceCount: sequenceCount, prefillChunk: chunk, overlapsPrefill: overlapsPrefill)
    }
}

/// How far two lists of numbers are apart.
struct Difference: CustomStringConvertible {
    /// The largest absolute difference over the largest expected value.
    var relative: Float

    init(_ found: [Float], _ expected: [Float]) {
        guard found.count == expected.count else {
            relative = .infinity
            return
        }
        let largest = expected.reduce(0) { max($0, abs($1)) }
        let difference = zip(found, expected).reduce(Float(0)) { worst, pair in
            let difference = abs(pair.0 - pair.1)
            return difference.isNaN ? .infinity : max(worst, difference)
        }
        relative = difference / max(largest, .leastNormalMagnitude)
    }

    var description: String { "\(relative) of the largest value" }
}

/// The first `rows` rows of each head of a cache `[heads, capacity, headDim]`.
func prefix(_ cache: [Float], shape: TensorShape, rows: Int) -> [Float] {
    (0..<shape.batch).flatMap { head in
        cache[head * shape.rows * shape.columns..<(head * shape.rows + rows) * shape.columns]
    }
}
