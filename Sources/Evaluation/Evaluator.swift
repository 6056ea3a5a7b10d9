import Chat
import Inference

/// Asks questions in several modes, one by one or some together, and records the answers.
public struct Evaluator {
    public enum Method: String, Sendable, CaseIterable {
        /// The model answers in words, and the answer is read from them.
        case generate
        /// The choice whose letter is likeliest after "The correct answer is".
        case logits
    }

    private let responder: Responder
    private let method: Method
    private var settings: AnswerSettings
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
    ///   - batch: how many questions are asked together. Answers are the same, and come a batch at a time; only of questions
    ///     that are asked one by one is latency their own.
    ///   - onResult: given each result as it comes; returning false ends the evaluation, which can go on later.
    /// - Throws: `ChatError`, `JinjaError`, `InferenceError`, `EvaluationError`.
    public func run(
        _ questions: [EvaluationQuestion], modes: [EvaluationMode], log: ResultLog, batch: Int = 1,
        onResult: (EvaluationResult) throws -> Bool
    ) throws {
        if method == .logits, let question = questions.first(where: { $0.choices.isEmpty }) {
            throw EvaluationError(
                "question \(question.id)", "has no choices, so logits can't decide; use --method generate")
        }
        let open = questions.filter { question in
            modes.contains { !log.contains(id: question.id, mode: $0.rawValue) }
        }
        for first in stride(from: 0, to: open.count, by: max(1, batch)) {
            for mode in modes {
                let together = open[first..<min(first + max(1, batch), open.count)]
                    .filter { !log.contains(id: $0.id, mode: mode.rawValue) }
                guard try record(together, mode, log, onResult) else { return }
            }
        }
    }

    /// Lets every mode answer once, in few tokens and unrecorded: the first answer also makes pipelines, and its time would say
    /// nothing of the others. To be done before `run`, with as many questions as that asks together.
    ///
    /// - Throws: as `run`.
    public func warmUp(_ questions: [EvaluationQuestion], modes: [EvaluationMode]) throws {
        var brief = self
        brief.settings.maxNewTokens = 2
        brief.settings.textToText.maxNewTokens = 2
        for mode in modes where !questions.isEmpty {
            do {
                _ = try brief.ask(questions, mode)
            } catch is InferenceError {
                // Said when the question is asked in earnest, and with its name.
            }
        }
    }

    /// How many questions can be asked together in all modes, with the longest question's prompt as the measure.
    ///
    /// - Throws: as `run`.
    public func questionsThatFit(_ questions: [EvaluationQuestion], modes: [EvaluationMode]) throws -> Int {
        let longest = questions.max { AnswerText.prompt(for: $0).utf8.count < AnswerText.prompt(for: $1).utf8.count }
        guard let longest else { return 1 }
        let prompts = try modes.map { mode in
            try mode == .oracle
                ? oraclePrompt(longest)
                : responder.prompt(
                    for: .conversation(try messages(longest, mode)), mode: mode.answerMode, settings: settings)
        }
        let background = modes.contains(.text) ? settings.textToText.maxNewTokens : 0
        let tokens = (prompts.map(\.count).max() ?? 0) + settings.maxNewTokens + background
        return try responder.questionsThatFit(Set(modes.map(\.answerMode)), tokens: tokens)
    }

    /// - Returns: whether the evaluation is to go on.
    private func record(
        _ questions: [EvaluationQuestion], _ mode: EvaluationMode, _ log: ResultLog,
        _ onResult: (EvaluationResult) throws -> Bool
    ) throws -> Bool {
        guard !questions.isEmpty else { return true }
        var results: [EvaluationResult] = []
        do {
            results = try ask(questions, mode)
        } catch let error as InferenceError {
            let reason: String
            switch error {
            case .badRequest(let text), .notFinite(let text): reason = text
            default: throw error
            }
            if questions.count > 1 {
                // One by one, so that those before the one that can't be asked are kept, and it is named.
                return try questions.allSatisfy { try record([$0], mode, log, onResult) }
            }
            throw EvaluationError("question \(questions[0].id), mode \(mode.rawValue)", reason)
        }
        var goesOn = true
        for result in results {
            try log.append(result)
            goesOn = try onResult(result) && goesOn
        }
        return goesOn
    }

    /// One question in one mode.
    public func ask(_ question: EvaluationQuestion, _ mode: EvaluationMode) throws -> EvaluationResult {
        try ask([question], mode)[0]
    }

    /// Questions in one mode, all together.
    private func ask(_ questions: [EvaluationQuestion], _ mode: EvaluationMode) throws -> [EvaluationResult] {
        let answers: [Answer]
        let grades: [AnswerText.Grade]
        switch method {
        case .generate:
            if mode == .oracle {
                answers = try responder.answer(
                    try questions.map { try oraclePrompt($0) }, mode: .receiver, settings: settings)
            } else {
                answers = try responder.answer(
                    questions.map { .conversation(try messages($0, mode)) }, mode: mode.answerMode, settings: settings)
            }
            grades = zip(questions, answers).map { AnswerText.grade($1.text, for: $0) }
        case .logits:
            let choices = try questions.map { question in
                Responder.Choice(
                    .conversation(try messages(question, mode)),
                    options: question.choices.indices.map { " " + EvaluationQuestion.letter($0) },
                    prompt: mode == .oracle ? try oraclePrompt(question) : nil)
            }
            let chosen = try responder.choose(
                choices, after: AnswerText.choicePrefix, mode: mode.answerMode, settings: settings)
            answers = chosen.map(\.answer)
            grades = zip(questions, chosen).map {
                AnswerText.grade(letter: EvaluationQuestion.letter($1.option), for: $0)
            }
        }
        return questions.indices.map { index in
            let (question, answer, grade) = (questions[index], answers[index], grades[index])
            var score: Double?
            if case .longText = question.expected { score = grade.score }
            return EvaluationResult(
                id: question.id, mode: mode.rawValue, subject: question.subject, question: question.question,
                expected: question.expectedText, predicted: grade.predicted, correct: grade.score == 1, score: score,
                text: answer.text,
                tokens: answer.tokens.count,
                background_tokens: answer.stages.count > 1 ? answer.stages[0].result.tokens.count : 0,
                sequential_steps: answer.sequentialSteps, ttft_s: answer.timeToFirstToken,
                total_s: answer.totalSeconds, batch: questions.count > 1 ? questions.count : nil)
        }
    }

    /// As in the paper, text-to-text asks the sharer about the question alone, without choices and instructions.
    private func messages(_ question: EvaluationQuestion, _ mode: EvaluationMode) throws -> [ChatMessage] {
        opening + [ChatMessage(.user, try content(question, mode), question: question.question)]
    }

    /// What the models are asked; a long text is cut to what they take.
    private func content(_ question: EvaluationQuestion, _ mode: EvaluationMode) throws -> String {
        guard case .longText(let reference) = question.expected else { return AnswerText.prompt(for: question) }
        return try LongPrompt(responder, mode: mode.answerMode, settings: settings, opening: opening).content(
            reference, question: question.question)
    }

    private func oraclePrompt(_ question: EvaluationQuestion) throws -> Prompt {
        let turns = exemplars.flatMap { exemplar in
            [
                ChatMessage(.user, AnswerText.prompt(for: exemplar)),
                ChatMessage(.assistant, AnswerText.answer(to: exemplar)),
            ]
        }
        return try responder.oraclePrompt(
            opening: opening, exemplars: turns, question: ChatMessage(.user, try content(question, .oracle)),
            settings: settings)
    }
}
