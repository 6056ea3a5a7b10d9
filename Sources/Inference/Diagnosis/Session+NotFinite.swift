extension Session {
    /// Why a prompt's answer has logits that are infinite or NaN, and forgets what the caches hold, of which nothing is of use.
    ///
    /// The answer is made again, step by step, each operation looked at: it costs some times what the answer did.
    ///
    /// - Parameter step: whose logits they are; 0 is the prompt's own.
    func notFinite(_ prompt: Prompt, _ sampling: SamplingSettings, step: Int) -> InferenceError {
        for sequence in sequences { sequence.caches.forEach { $0.truncate(to: 0) } }
        steps = []
        let place = step == 0 ? "after the prompt" : "after \(step) new token\(step == 1 ? "" : "s")"
        let what = "the \(receiver.name)'s logits are infinite or NaN \(place)"
        guard !(backend is InspectingBackend) else { return .notFinite(what) }
        do {
            let session = try Session(
                on: InspectingBackend(backend), receiver: receiver, sharers: sharers, fusionMode: fusionMode,
                includesResponse: sequences[0].unfusedCache != nil, capacity: min(capacity, prompt.count + step + 1),
                cacheType: cacheType, overlapsPrefill: false)
            _ = try session.generate(prompt, maxNewTokens: step + 1, sampling: sampling)
        } catch let finding as InspectingBackend.Finding {
            return .notFinite("\(what): \(FindingPlace(finding, self).text)")
        } catch {
            return .notFinite("\(what); where that begins could not be found (\(error))")
        }
        return .notFinite(
            "\(what), but each operation alone gives numbers; see whether the device computes right: c2c-vk verify")
    }

    private var cacheType: ElementType { receiverCache.keys.first?.type ?? .f32 }
}

/// A finding in the words of models.
private struct FindingPlace {
    private let finding: InspectingBackend.Finding
    private let session: Session
    private var graph: Graph { finding.graph }

    init(_ finding: InspectingBackend.Finding, _ session: Session) {
        self.finding = finding
        self.session = session
    }

    /// Where numbers end, and what would help.
    var text: String {
        let op = graph.ops[finding.op]
        switch op {
        case .embed(let op): return weight(op.table, row: nil)
        case .rmsNorm(let op): return weight(op.weight, row: 0)
        case .linear(let op): return product(op)
        case .writeCache(let op): return cache(op.cache)
        case .gatedAdd(let op): return cache(op.cache)
        case .attention(let op): return "\(place(of: op.keys)), attention exceeds what float32 holds\(checkpointAdvice)"
        default: return "\(lastPlace), \(op.kernelName) exceeds what float32 holds\(checkpointAdvice)"
        }
    }

    private var checkpointAdvice: String { "; is the checkpoint whole, and of a supported model?" }

    // MARK: Weights

    private func product(_ op: Linear) -> String {
        if let bias = op.bias, isStrange(bias) ?? false { return weight(bias, row: 0) }
        switch isStrange(op.weight) {
        case false?:
            return "\(place(of: op.weight)), the product with \(name(op.weight, row: finding.column)) exceeds what "
                + "float32 holds" + checkpointAdvice
        default: return weight(op.weight, row: finding.column)
        }
    }

    /// - Parameter row: of the weight; nil where it isn't known.
    private func weight(_ tensor: Tensor, row: Int?) -> String {
        let rowText = row.map { $0 > 0 ? ", row \($0)," : "" } ?? ""
        return
            "\(place(of: tensor)), the weight \(name(tensor, row: row ?? 0))\(rowText) holds a value that is infinite or NaN; "
            + "get the checkpoint again, or one whose training went well"
    }

    /// The most values that are read to look for a strange one.
    private static let mostValues = 1 << 26

    /// Whether a tensor holds what is no number; nil where it is too large to look.
    private func isStrange(_ tensor: Tensor) -> Bool? {
        guard let stored = graph.info(tensor).stored, stored.shape.count <= Self.mostValues else { return nil }
        return (try? session.backend.read(stored)).map { !$0.allSatisfy(\.isFinite) }
    }

    private func name(_ tensor: Tensor, row: Int) -> String {
        guard let stored = graph.info(tensor).stored else { return graph.info(tensor).name }
        for decoder in session.decoders {
            if let role = decoder.role(of: stored) { return decoder.origin(role, row: row) ?? stored.name }
        }
        return stored.name
    }

    // MARK: Caches

    private func cache(_ tensor: Tensor) -> String {
        let type = graph.info(tensor).type
        let reached = finding.given.map { " reach \($0)," } ?? " are"
        let limit =
            switch type {
            case .f16: "beyond the 65504 that f16 holds"
            case .q8_0: "beyond the 8.3 million that q8_0 holds"
            default: "beyond what \(type) holds"
            }
        let advice = [.f16, .q8_0].contains(type) ? "use --kv-dtype bf16" : "use --kv-dtype f32"
        return
            "\(place(of: tensor))\(reached) \(limit) in the cache; \(type == .f32 ? "is the checkpoint whole?" : advice)"
    }

    // MARK: Places

    /// Where the last weight or cache stands that an operation up to the finding used.
    private var lastPlace: String {
        for op in graph.ops[...finding.op].reversed() {
            for tensor in op.reads + op.writes {
                if let place = knownPlace(of: tensor) { return place }
            }
        }
        return "somewhere"
    }

    private func place(of tensor: Tensor) -> String { knownPlace(of: tensor) ?? lastPlace }

    /// Such as `in the receiver's layer 3`, or `in the receiver's layer 3 keys`.
    private func knownPlace(of tensor: Tensor) -> String? {
        guard let stored = graph.info(tensor).stored else { return nil }
        for decoder in session.decoders {
            guard let role = decoder.role(of: stored) else { continue }
            return "in the \(decoder.name)'s \(role.place)"
        }
        for sharer in session.sharers where sharer.fuser.role(of: stored) != nil { return "in \(sharer.fuser.name)" }
        return cachePlace(stored.name)
    }

    /// Caches are those of the session that looked; their names are as ours.
    private func cachePlace(_ name: String) -> String? {
        for cache in session.sequences[0].caches {
            for (tensors, half) in [(cache.keys, "keys"), (cache.values, "values")] {
                if let layer = tensors.firstIndex(where: { $0.name == name }) {
                    return "in the \(cache.name)'s layer \(layer), \(half)"
                }
            }
        }
        return nil
    }
}

extension Session {
    /// All models, the receiver first.
    fileprivate var decoders: [Decoder] { [receiver] + sharers.map(\.decoder) }
}

extension WeightSlot.Role {
    /// Where in a model the weight stands.
    fileprivate var place: String {
        switch self {
        case .embedding: "embedding"
        case .finalNorm: "final norm"
        case .head: "LM head"
        case .attentionNorm(let layer), .queryKeyValue(let layer), .queryKeyValueBias(let layer),
            .queryNorm(let layer), .keyNorm(let layer), .attentionOutput(let layer),
            .attentionOutputBias(let layer), .feedForwardNorm(let layer), .gateUp(let layer), .down(let layer):
            "layer \(layer)"
        }
    }
}
