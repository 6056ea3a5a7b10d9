/// Fusing what is answered too (`include_response` in the reference implementation).
extension Session {
    /// Reads each prompt's last section, its very last token as new tokens are read.
    func respond(to asked: [(sequence: SequenceState, prompt: Prompt)], _ seeds: [UInt64]) throws {
        func readings(
            _ cache: (SequenceState) -> KVCache?, _ tokens: (Prompt) -> TokenSequence
        ) -> [Reading] {
            asked.compactMap { sequence, prompt in
                cache(sequence).map {
                    Reading(sequence: sequence, tokens: tokens(prompt), cache: $0, end: prompt.count - 1)
                }
            }
        }
        for (sequence, prompt) in asked {
            let own = prompt.receiver.ids.last
            for (index, cache) in sequence.sharerCaches.enumerated()
            where cache != nil && prompt.sequence(ofSharer: index).ids.last != own {
                throw InferenceError.badRequest(
                    "the answer can't be fused too when the sharer reads other tokens than the receiver; "
                        + "leave out --include-response")
            }
        }
        try read(readings({ $0.receiverCache }, \.receiver), receiver, .receiverPrefill)
        try read(readings({ $0.unfusedCache }, \.receiver), receiver, .receiverPrefill)
        for (index, sharer) in sharers.enumerated() {
            try read(
                readings({ $0.sharerCaches[index] }, { $0.sequence(ofSharer: index) }), sharer.decoder, .sharerPrefill)
        }
        var inputs = try plans.prepareChoice(asked.map { ($0.sequence, $0.prompt.receiver) }, seeds, receiver)
        for (sequence, prompt) in asked {
            let last = prompt.count - 1
            inputs.append(PlanInput(sequence.token, [UInt32(prompt.receiver.ids[last])]))
            inputs += sequence.caches.map { PlanInput($0.position, [UInt32(last)]) }
            sequence.receiverCache.count = prompt.count
        }
        let states = asked.map(\.sequence)
        let execution = try backend.execute(try responsePlan(states), inputs: inputs, phase: .receiverPrefill)
        steps = [Step(execution: execution, sequences: states.map(\.index))]
    }

    func responsePlan(_ states: [SequenceState]) throws -> any Plan {
        try plans.response(
            states, receiver: receiver, projectingSharers(mask: (1 << sharers.count) - 1), sharers, mode: fusionMode)
    }
}
