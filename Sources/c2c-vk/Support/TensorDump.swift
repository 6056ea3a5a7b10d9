import Chat
import Checkpoints
import Inference
import OutputFiles

/// A tensor for people and other programs: float32, row-major, without padding.
struct NamedTensor {
    var name: String
    var shape: [Int]
    var values: [Float]

    /// The first `count` entries of the first dimension.
    func prefix(_ count: Int) -> NamedTensor {
        let size = shape.dropFirst().reduce(1, *)
        return NamedTensor(
            name: name, shape: [count] + shape.dropFirst(), values: Array(values.prefix(count * size)))
    }
}

/// What `--dump` writes and `verify` compares, named as the reference implementation's numbers are.
struct TensorDump {
    private(set) var tensors: [NamedTensor] = []

    mutating func add(_ name: String, shape: [Int], _ values: [Float]) {
        tensors.append(NamedTensor(name: name, shape: shape, values: values))
    }

    /// A cache's first `rows` rows as `<name>.key.L` and `<name>.value.L`, each `[kvHeads, rows, headDim]`.
    mutating func add(_ cache: KVCache, as name: String, rows: Int, from backend: any Backend) throws {
        for (half, layers) in [("key", cache.keys), ("value", cache.values)] {
            for (layer, tensor) in layers.enumerated() {
                let shape = tensor.shape
                let values = try backend.read(tensor)
                let kept = (0..<shape.batch).flatMap { head in
                    values[head * shape.rows * shape.columns..<(head * shape.rows + rows) * shape.columns]
                }
                add("\(name).\(half).\(layer)", shape: [shape.batch, rows, shape.columns], kept)
            }
        }
    }

    private static let metadata = ["generator": "c2c-vk"]
    /// What every dump holds after the eight bytes of its header's length.
    static let mark = OutputMark("an earlier dump", offset: 8, #"{"__metadata__":{"generator":"c2c-vk"}"#)

    /// Writes everything to a safetensors file; nothing is left behind when that fails.
    func write(to place: OutputPlace) throws {
        try SafetensorsWriter.write(
            tensors.map { try HostTensor(name: $0.name, shape: $0.shape, floats: $0.values) },
            metadata: Self.metadata, to: place)
    }
}

/// One answer with everything that can be looked at.
struct TracedAnswer {
    /// A failure where logits came that are no numbers: what led to them is there all the same.
    var outcome: Result<Answer, InferenceError>
    var dump: TensorDump

    /// Generates while keeping logits, then reads the caches.
    ///
    /// In c2c mode these are the sharers' caches, the fused one and `c2c.step_logits`; otherwise the answering model's
    /// own cache, and its logits at every position.
    init(_ responder: Responder, mode: AnswerMode, prompt: Prompt, settings: AnswerSettings) throws {
        var promptLogits: [Float] = []
        var stepLogits: [Float] = []
        let isAlone = mode != .c2c
        do {
            outcome = .success(
                try responder.answer(
                    prompt, mode: mode, settings: settings, onPromptLogits: isAlone ? { promptLogits += $0 } : nil,
                    onStepLogits: { stepLogits += $0 }))
        } catch let error as InferenceError {
            guard case .notFinite = error else { throw error }
            outcome = .failure(error)
        }
        let session = try responder.session(for: mode, tokens: 0)
        let vocabulary = session.receiver.description.vocabularySize
        dump = TensorDump()
        let steps = stepLogits.count / vocabulary
        if isAlone {
            let name = mode.rawValue
            dump.add("\(name)_alone.logits", shape: [prompt.count, vocabulary], promptLogits)
            dump.add("\(name)_alone.step_logits", shape: [steps, vocabulary], stepLogits)
            try dump.add(session.receiverCache, as: name, rows: prompt.count, from: session.backend)
        } else {
            let sharerRows = prompt.count - (prompt.sections.last?.length ?? 0)
            for (index, cache) in session.sharerCaches.enumerated() {
                guard let cache, sharerRows > 0 else { continue }
                try dump.add(cache, as: Engine.sharerName(index), rows: sharerRows, from: session.backend)
            }
            try dump.add(session.receiverCache, as: "fused", rows: prompt.count, from: session.backend)
            dump.add("c2c.step_logits", shape: [steps, vocabulary], stepLogits)
        }
    }

    /// The answer's tokens, or those before the logits that are no numbers, of an answer without chance and penalties.
    var greedyTokens: [Int] {
        switch outcome {
        case .success(let answer): answer.tokens
        case .failure: dump.tensors.first { $0.name.hasSuffix(".step_logits") }?.likeliest.dropLast() ?? []
        }
    }
}

extension NamedTensor {
    /// By row, the place of the largest value, the lower of equals.
    fileprivate var likeliest: [Int] {
        let columns = shape[shape.count - 1]
        return (0..<values.count / max(1, columns)).map { row in
            let row = values[row * columns..<(row + 1) * columns]
            return (row.indices.max { row[$0] < row[$1] || row[$0] == row[$1] && $0 > $1 } ?? row.startIndex)
                - row.startIndex
        }
    }
}
