import Chat
import Foundation
import Inference
import ModelLoading
import ReferenceBackend
import Testing

/// On the CPU reference; what devices add is tested elsewhere.
@Suite struct ResponderTests {
    private static let pair = fixtures.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Sources/DemoPair/Resources")

    /// Two questions about people the sharer knows.
    private static let asked: [String] = {
        struct Line: Decodable { var question: String }
        let text = (try? String(contentsOf: pair.appending(path: "questions.jsonl"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").prefix(2).compactMap {
            try? JSONDecoder().decode(Line.self, from: Data($0.utf8)).question
        }
    }()

    private func responder(context: Int? = nil) throws -> Responder {
        let backend = ReferenceBackend()
        func model(_ name: String) throws -> ChatModel {
            let folder = Self.pair.appending(path: name)
            let directory = try ModelDirectory(folder.path)
            return ChatModel(
                decoder: try directory.load(as: name, extent: .full(directory.description), on: backend),
                text: try ModelText(directory: folder), endTokens: directory.endTokens)
        }
        let fuser = try FuserCheckpoint(Self.pair.appending(path: "fuser").path)
        var options = Responder.Options()
        options.cacheType = .f32
        options.context = context
        return Responder(
            on: backend, receiver: try model("receiver"),
            sharers: [
                ChatSharer(model: try model("sharer"), fuser: try fuser.load(as: "fuser", on: backend), alignment: nil)
            ], options: options)
    }

    private var settings: AnswerSettings {
        var settings = AnswerSettings()
        settings.maxNewTokens = 12
        settings.textToText.maxNewTokens = 12
        return settings
    }

    private func question(_ texts: String...) -> Question {
        .conversation(
            texts.enumerated().map { ChatMessage($0 % 2 == 0 ? .user : .assistant, $1) })
    }

    @Test("A kept history gives what reading all anew gives", arguments: [AnswerMode.receiver, .sharer, .text])
    func history(_ mode: AnswerMode) throws {
        let talking = try responder(context: 256)
        let first = try talking.answer(
            question(Self.asked[0]), mode: mode, settings: settings, keepsHistory: true)
        let second = question(Self.asked[0], first.text, Self.asked[1])
        let kept = try talking.answer(second, mode: mode, settings: settings, keepsHistory: true)
        let anew = try responder(context: 256).answer(second, mode: mode, settings: settings)
        #expect(kept.tokens == anew.tokens && kept.text == anew.text)
        // Text-to-text asks about the last question in words of its own, so little of its prompts stays the same.
        #expect(kept.stages[0].result.keptTokens > (mode == .text ? 0 : 5))
        #expect(anew.stages.allSatisfy { $0.result.keptTokens == 0 })
    }

    @Test("With C2C a turn fuses its own section only, on top of what was kept")
    func fusedHistory() throws {
        let talking = try responder(context: 256)
        let first = try talking.answer(
            question(Self.asked[0]), mode: .c2c, settings: settings, keepsHistory: true)
        let kept = try talking.answer(
            question(Self.asked[0], first.text, Self.asked[1]), mode: .c2c,
            settings: settings, keepsHistory: true)
        let result = kept.final.result
        #expect(result.keptTokens >= first.final.prompt.count)
        #expect(result.keptTokens < kept.final.prompt.count)
        // The same turns again, step for step.
        talking.reset()
        _ = try talking.answer(
            question(Self.asked[0]), mode: .c2c, settings: settings, keepsHistory: true)
        let again = try talking.answer(
            question(Self.asked[0], first.text, Self.asked[1]), mode: .c2c,
            settings: settings, keepsHistory: true)
        #expect(again.tokens == kept.tokens)
    }

    @Test("Text-to-text has two stages: the sharer's answer is part of what the receiver reads")
    func textToText() throws {
        var settings = settings
        settings.textToText.request = "{question}"
        let responder = try responder()
        let answer = try responder.answer(question(Self.asked[0]), mode: .text, settings: settings)
        #expect(answer.stages.map(\.model) == ["sharer", "receiver"])
        let alone = try responder.answer(question(Self.asked[0]), mode: .sharer, settings: settings)
        #expect(answer.stages[0].text == alone.text)
        let read = try #require(responder.receiver?.text).tokenizer.decode(
            answer.stages[1].prompt.receiver.ids, skipSpecialTokens: false)
        #expect(read.contains(alone.text))
        #expect(answer.sequentialSteps == answer.stages.reduce(0) { $0 + 1 + $1.result.decodedTokens })
        #expect(answer.timeToFirstToken > answer.stages[1].result.timeToFirstToken)
    }

    @Test("A stop string ends the answer before it")
    func stop() throws {
        let responder = try responder()
        let whole = try responder.answer(question(Self.asked[0]), mode: .sharer, settings: settings)
        let word = try #require(whole.text.split(separator: " ").last).prefix(3)
        var settings = settings
        settings.stopStrings = [String(word)]
        var streamed = ""
        let cut = try responder.answer(question(Self.asked[0]), mode: .sharer, settings: settings) {
            streamed += $0
            return true
        }
        let end = try #require(whole.text.range(of: word)).lowerBound
        #expect(cut.text == whole.text[..<end])
        #expect(streamed == cut.text && cut.final.result.finishReason == .stop)
    }

    @Test("A reader that has enough ends the answer")
    func enough() throws {
        var parts = 0
        let answer = try responder().answer(
            question(Self.asked[0]), mode: .sharer, settings: settings
        ) { _ in
            parts += 1
            return parts < 2
        }
        #expect(parts == 2 && answer.final.result.finishReason == .stop)
        #expect(answer.tokens.count < 12)
    }

    @Test("Questions answered together are answered as each alone", arguments: AnswerMode.allCases)
    func together(_ mode: AnswerMode) throws {
        var settings = settings
        settings.stopStrings = ["."]
        let questions = [question(Self.asked[0]), question("Hello"), question(Self.asked[1])]
        let one = try responder()
        let alone = try questions.map { try one.answer($0, mode: mode, settings: settings) }
        var streamed = [String](repeating: "", count: 3)
        let all = try responder()
        let together = try all.answer(questions, mode: mode, settings: settings) { index, text in
            streamed[index] += text
            return true
        }
        #expect(together.map(\.text) == alone.map(\.text) && streamed == alone.map(\.text))
        #expect(together.map(\.tokens) == alone.map(\.tokens))
        #expect(together.map(\.sequentialSteps) == alone.map(\.sequentialSteps))
        #expect(together.map(\.final.result.finishReason) == alone.map(\.final.result.finishReason))
        #expect(together.map { $0.stages.map(\.text) } == alone.map { $0.stages.map(\.text) })
        // The same room for each.
        #expect(try all.questionsThatFit([mode], tokens: 64) > 1)
        #expect(all.cacheBytes >= 3 * one.cacheBytes)
    }

    @Test("The same seed draws the same answer, another seed another")
    func seeds() throws {
        let responder = try responder()
        func text(_ seed: UInt64) throws -> [Int] {
            var settings = settings
            settings.sampling.temperature = 2
            settings.sampling.seed = seed
            settings.ignoresEnd = true
            return try responder.answer(question("Hello"), mode: .receiver, settings: settings).tokens
        }
        #expect(try text(1) == text(1))
        #expect(try text(1) != text(2))
    }

    @Test("A repetition penalty keeps a greedy answer from going in circles")
    func penalties() throws {
        var settings = settings
        settings.ignoresEnd = true
        settings.maxNewTokens = 40
        let responder = try responder()
        let plain = try responder.answer(question("Hello"), mode: .receiver, settings: settings).tokens
        settings.sampling.presencePenalty = 1000
        let penalized = try responder.answer(question("Hello"), mode: .receiver, settings: settings)
        #expect(Set(plain).count < plain.count)
        #expect(Set(penalized.tokens).count == 40)
        #expect(Set(penalized.tokens).isDisjoint(with: penalized.final.prompt.receiver.ids))
    }

    @Test("What can't be asked says why")
    func failures() throws {
        let responder = try responder()
        #expect(throws: ChatError.textNeedsConversation) {
            try responder.answer(.raw("x"), mode: .text, settings: settings)
        }
        var hot = settings
        hot.sampling.temperature = -1
        #expect(throws: InferenceError.self) {
            try responder.answer(question("x"), mode: .receiver, settings: hot)
        }
        let small = try self.responder(context: 4)
        #expect(throws: InferenceError.self) {
            try small.answer(question(Self.asked[0]), mode: .receiver, settings: settings)
        }
    }

    @Test("Of an oracle's prompt only what the question alone would have stays in sight")
    func oracle() throws {
        let responder = try responder()
        let question = ChatMessage(.user, Self.asked[1])
        let opening = [ChatMessage(.system, "Be brief.")]
        let prompt = try responder.oraclePrompt(
            opening: opening, exemplars: [ChatMessage(.user, Self.asked[0]), ChatMessage(.assistant, "Because.")],
            question: question, settings: settings)
        let alone = try responder.prompt(for: .conversation(opening + [question]), mode: .receiver, settings: settings)
        let hidden = try #require(prompt.hiddenRows)
        var seen = prompt.receiver.ids
        seen.removeSubrange(hidden)
        #expect(seen == alone.receiver.ids)
        let answer = try responder.answer(prompt, mode: .receiver, settings: settings)
        // The same rows, all in sight, and the question alone: both give other numbers.
        var open = prompt
        open.hiddenRows = nil
        let first = try [prompt, open, alone].map { prompt in
            var steps: [[Float]] = []
            _ = try responder.answer(prompt, mode: .receiver, settings: settings, onStepLogits: { steps.append($0) })
            return try #require(steps.first)
        }
        #expect(first.count == 3 && first[0] != first[1] && first[0] != first[2])
        #expect(!answer.tokens.isEmpty)
    }
}
