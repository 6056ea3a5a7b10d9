/// Fusing what is answered too (`include_response` in the reference implementation).
extension Session {
    /// Reads the last section's tokens, the very last one as new tokens are read.
    func respond(to prompt: Prompt, _ unfused: KVCache) throws {
        let last = prompt.count - 1
        try run(prompt.receiver, to: last, receiver, receiverCache, .receiverPrefill)
        let ownRows = try receiver.limited(to: .cacheOnly(layerCount: receiver.extent.layerCount))
        try run(prompt.receiver, to: last, ownRows, unfused, .receiverPrefill)
        var inputs = try plans.choiceInputs(prompt.receiver, receiver)
        inputs.append(PlanInput(plans.token, [UInt32(prompt.receiver.ids[last])]))
        for (index, cache) in sharerCaches.enumerated() {
            guard let cache else { continue }
            let sequence = prompt.sequence(ofSharer: index)
            guard sequence.ids[last] == prompt.receiver.ids[last] else {
                throw InferenceError.badRequest(
                    "the answer can't be fused too when the sharer reads other tokens than the receiver; "
                        + "leave out --include-response")
            }
            try run(sequence, to: last, sharers[index].decoder, cache, .sharerPrefill)
        }
        for cache in [receiverCache, unfused] + sharerCaches.compactMap({ $0 }) {
            inputs.append(PlanInput(cache.position, [UInt32(last)]))
        }
        stepExecutions = [try backend.execute(try responsePlan(unfused), inputs: inputs, phase: .receiverPrefill)]
        receiverCache.count = prompt.count
    }

    func responsePlan(_ unfused: KVCache) throws -> any Plan {
        try plans.response(
            receiver, fused: receiverCache, unfused: unfused,
            zip(sharers, sharerCaches).compactMap { sharer, cache in cache.map { (sharer.decoder, $0) } },
            sources(mask: (1 << sharers.count) - 1), mode: fusionMode)
    }
}
