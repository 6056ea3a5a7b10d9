import Chat
import Inference

/// Asks questions in several modes, one after the other, and records the answers.
public struct Evaluator {
    public enum Method: String, Sendable, CaseIterable {
        /// The model answers in words, and the answer is read from them.
        case generate
        /// The choice whose letter is likeliest after "The correct answer is".
        case logits
    }

    private let responder: Responder
    private let method: Method
    private let settings: AnswerSettings
    private let opening: [ChatMessage]
    private let exemplars: [EvaluationQuestion]

    /// - Parameters:
    ///   - opening: messages before each question.
    ///   - exemplars: what mode oracle reads before each question.
    public init(
        _ responder: Responder, method: Method, settings: AnswerSettings, opening: [ChatMessage] = [],
        exemplars: [EvaluationQuestion] = []
    ) {
        self.exemplars = exemplars
        self.responder = responder
        self.method = method
        self.settings = settings
        self.opening = opening
    }

    /// Asks what the log doesn't hold yet.
    ///
    /// - Parameters:
    ///   - onResult: given each result as it comes; returning false ends the evaluation, which can go on later.
    /// - Throws: `ChatError`, `JinjaError`, `InferenceError`, `EvaluationError`.
    public func run(
        _ questions: [EvaluationQuestion], modes: [EvaluationMode], log: ResultLog,
        onResult: (EvaluationResult) throws -> Bool
    ) throws {
        if method == .logits, let question = questions.first(where: { $0.choices.isEmpty }) {
            throw EvaluationError(
                "question \(question.id)", "has no choices, so logits can't decide; use --method generate")
        }
        for question in questions {
            for mode in modes where !log.contains(id: question.id, mode: mode.rawValue) {
                let result = try askNamingErrors(question, mode)
                try log.append(result)
                guard try onResult(result) else { return }
            }
        }
    }

    private func askNamingErrors(_ question: EvaluationQuestion, _ mode: EvaluationMode) throws -> EvaluationResult {
        do {
            return try ask(question, mode)
        } catch InferenceError.badRequest(let reason) {
            throw EvaluationError("question \(question.id), mode \(mode.rawValue)", reason)
        }
    }

    /// One question in one mode.
    public func ask(_ question: EvaluationQuestion, _ mode: EvaluationMode) throws -> EvaluationResult {
        // As in the paper, text-to-text asks the sharer about the question alone, without choices and instructions.
        let asked = ChatMessage(.user, AnswerText.prompt(for: question), question: question.question)
        let messages = opening + [asked]
        let answer: Answer
        let predicted: String?
        switch method {
        case .generate:
            if mode == .oracle {
                answer = try responder.answer(try oraclePrompt(question), mode: .receiver, settings: settings)
            } else {
                answer = try responder.answer(.conversation(messages), mode: mode.answerMode, settings: settings)
            }
            predicted = AnswerText.prediction(answer.text, for: question)
        case .logits:
            let letters = question.choices.indices.map { " " + EvaluationQuestion.letter($0) }
            let choice: Int
            (choice, answer) = try responder.choose(
                .conversation(messages), among: letters, after: AnswerText.choicePrefix, mode: mode.answerMode,
                settings: settings, prompt: mode == .oracle ? try oraclePrompt(question) : nil)
            predicted = EvaluationQuestion.letter(choice)
        }
        return EvaluationResult(
            id: question.id, mode: mode.rawValue, subject: question.subject, question: question.question,
            expected: question.expectedText, predicted: predicted,
            correct: predicted.map { AnswerText.isRight($0, for: question) } ?? false, text: answer.text,
            tokens: answer.tokens.count,
            background_tokens: answer.stages.count > 1 ? answer.stages[0].result.tokens.count : 0,
            sequential_steps: answer.sequentialSteps, ttft_s: answer.timeToFirstToken, total_s: answer.totalSeconds)
    }

    private func oraclePrompt(_ question: EvaluationQuestion) throws -> Prompt {
        let turns = exemplars.flatMap { exemplar in
            [
                ChatMessage(.user, AnswerText.prompt(for: exemplar)),
                ChatMessage(.assistant, AnswerText.answer(to: exemplar)),
            ]
        }
        return try responder.oraclePrompt(
            opening: opening, exemplars: turns, question: ChatMessage(.user, AnswerText.prompt(for: question)),
            settings: settings)
    }
}
