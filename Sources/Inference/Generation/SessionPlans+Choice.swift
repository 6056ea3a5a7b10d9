/// How plans choose the next tokens.
extension SessionPlans {
    /// What the plan of prompts' last tokens is given, so that it, and the steps after it, can choose. Their tokens are tallied
    /// before, where that matters.
    ///
    /// - Parameter seeds: by prompt.
    func prepareChoice(
        _ prompts: [(sequence: SequenceState, tokens: TokenSequence)], _ seeds: [UInt64], _ decoder: Decoder
    ) throws -> [PlanInput] {
        var inputs = [PlanInput(step, [0])]
        if !sampling.isGreedy {
            for ((sequence, _), seed) in zip(prompts, seeds) {
                inputs.append(PlanInput(sequence.seed, [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)]))
            }
        }
        if sampling.hasPenalties {
            let vocabulary = decoder.description.vocabularySize
            for (sequence, tokens) in prompts {
                let seen = tokens.ids.indices.filter { !tokens.padding.contains($0) }.map { UInt32(tokens.ids[$0]) }
                try backend.execute(
                    try tally(sequence, vocabulary: vocabulary), inputs: [listed(seen)], phase: .receiverPrefill)
            }
        }
        return inputs
    }

    /// The LM head over the last row of each sequence, and the choice of each one's next token.
    ///
    /// - Parameter sequences: in the order of the builder's.
    func emitChoice(
        _ builder: DecoderGraph, _ hidden: TensorView, _ sequences: [SequenceState], into graph: inout Graph
    ) throws {
        let stored = try logits(rows: sequences.count, builder.decoder)
        let logits = graph.boundView(stored)
        builder.emitHead(builder.lastRows(hidden), output: logits, into: &graph)
        let step = graph.boundView(self.step)
        for (index, sequence) in sequences.enumerated() {
            let row = logits.rows(index..<index + 1)
            let token = graph.boundView(sequence.token)
            var counts: (any StoredTensor)?
            if sampling.hasPenalties {
                let seen = try sequence.tokenCounts(row.columns, on: backend)
                counts = seen
                graph.add(
                    .penalize(
                        Penalize(
                            logits: row, counts: graph.bound(seen), presence: sampling.presencePenalty,
                            frequency: sampling.frequencyPenalty, repetition: sampling.repetitionPenalty)))
            }
            if sampling.isGreedy {
                graph.add(.argmax(ArgMax(logits: row, token: token, log: graph.bound(sequence.log), step: step)))
            } else {
                let weights = graph.scratch("weights", TensorShape(columns: row.columns))
                graph.add(
                    .sample(
                        Sample(
                            logits: row, temperature: sampling.temperature, topK: sampling.topK, topP: sampling.topP,
                            minP: sampling.minP, seed: graph.boundView(sequence.seed), step: step, weights: weights,
                            token: token, log: graph.bound(sequence.log))))
            }
            if let counts { graph.add(.tally(Tally(tokens: token, counts: graph.bound(counts)))) }
        }
        graph.add(.advance(Advance(counter: step, amount: 1)))
    }
}
