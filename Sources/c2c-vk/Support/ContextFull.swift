import ArgumentParser
import Chat

/// What becomes of a conversation that the context has no room for.
enum ContextFull: String, ExpressibleByArgument, CaseIterable {
    /// Nothing is answered, and it is said how to go on.
    case stop
    /// The oldest turns are forgotten.
    case drop
}

/// A conversation, and the room that there is for it.
struct Conversation {
    /// What every conversation begins with.
    let opening: [ChatMessage]
    /// Questions with their answers.
    private(set) var turns: [(question: ChatMessage, answer: ChatMessage)] = []
    /// Tokens that there is room for.
    let context: Int
    /// What the models were made for.
    let maximumContext: Int

    init(opening: [ChatMessage], context: Int, maximumContext: Int) {
        self.opening = opening
        self.context = context
        self.maximumContext = maximumContext
    }

    var messages: [ChatMessage] { opening + turns.flatMap { [$0.question, $0.answer] } }

    mutating func add(_ question: ChatMessage, _ answer: ChatMessage) {
        turns.append((question, answer))
    }

    mutating func reset() {
        turns = []
    }

    /// Forgets the oldest turns.
    mutating func drop(_ count: Int) {
        turns.removeFirst(min(count, turns.count))
    }

    /// Makes room for a question and its answer.
    ///
    /// With `drop`, turns are forgotten until half of the context is free, and not just as many as must: what follows has to be read
    /// again whenever the beginning changes.
    /// - Parameters:
    ///   - tokens: how many a conversation is.
    ///   - answer: tokens that an answer may have.
    /// - Returns: the turns that were forgotten.
    /// - Throws: `UsageError` where there is no room.
    mutating func makeRoom(
        for question: ChatMessage, answer: Int, _ policy: ContextFull, tokens: ([ChatMessage]) throws -> Int
    ) throws -> Int {
        var count = try tokens(messages + [question])
        let before = turns.count
        if policy == .drop, count + min(answer, context / 8) > context {
            while count > context / 2, !turns.isEmpty {
                drop(1)
                count = try tokens(messages + [question])
            }
        }
        guard count > context else { return before - turns.count }
        let larger =
            context < maximumContext
            ? "--context N makes room for up to \(maximumContext)" : "the models were made for no more"
        guard !turns.isEmpty else {
            throw UsageError(
                "the message makes a prompt of \(count) tokens, \(count - context) more than the context of \(context); "
                    + "shorten it, or \(larger)")
        }
        throw UsageError(
            "the conversation has \(count) tokens, \(count - context) more than the context of \(context): /drop "
                + "forgets the oldest turn, /reset all of them, --context-full drop does so by itself; \(larger)")
    }
}
