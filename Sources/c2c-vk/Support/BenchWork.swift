import Inference

/// The least that the rows of `bench` must move and compute; see `Work`.
struct BenchWork {
    private let models: BenchModels
    private let prompt: Int

    /// - Parameter prompt: its tokens.
    init(_ models: BenchModels, prompt: Int) {
        self.models = models
        self.prompt = prompt
    }

    /// The receiver's prefill alone, to its first token.
    var alone: Work { prefill(models.alone, prompt) }

    /// `count` steps of the receiver after the prompt.
    func decode(_ count: Int) -> Work { decode(models.alone, count) }

    /// All sharers' prefill of all but the last token.
    var sharers: Work {
        guard let session = models.fused else { return Work() }
        return zip(session.sharers, session.sharerCaches).reduce(Work()) { sum, pair in
            guard let cache = pair.1 else { return sum }
            return sum + pair.0.decoder.work(tokens: prompt - 1, cache: cache)
        }
    }

    /// The receiver's prefill in two sections: all but the last token, and that.
    var receiver: Work { receiverSection + receiverLast }

    var receiverSection: Work {
        guard let session = models.fused else { return Work() }
        return session.receiver.work(tokens: prompt - 1, cache: session.receiverCache)
    }

    var receiverLast: Work {
        guard let session = models.fused else { return Work() }
        return session.receiver.work(tokens: 1, after: prompt - 1, logitRows: 1, cache: session.receiverCache)
    }

    /// All fusers.
    var fusion: Work {
        guard let session = models.fused else { return Work() }
        return zip(session.sharers, session.sharerCaches).reduce(Work()) { sum, pair in
            guard let cache = pair.1 else { return sum }
            return sum
                + pair.0.fuser.work(tokens: prompt - 1, sharerCache: cache, receiverCache: session.receiverCache)
        }
    }

    /// The sharer writes `count` tokens, and the receiver reads them after the prompt.
    func text(_ count: Int) -> Work {
        guard let writer = models.writer else { return Work() }
        return prefill(writer, prompt) + decode(writer, count - 1) + prefill(models.alone, prompt + count)
    }

    private func prefill(_ session: Session, _ tokens: Int) -> Work {
        session.receiver.work(tokens: tokens, logitRows: 1, cache: session.receiverCache)
    }

    private func decode(_ session: Session, _ count: Int) -> Work {
        (0..<count).reduce(Work()) { sum, step in
            sum + session.receiver.work(tokens: 1, after: prompt + step, logitRows: 1, cache: session.receiverCache)
        }
    }
}
