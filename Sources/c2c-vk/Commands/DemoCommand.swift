import ArgumentParser
import Chat
import DemoPair
import Evaluation
import Foundation
import Inference
import JSON

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Shows cache-to-cache communication on a small trained pair that comes with the program.",
        discussion: """
            The sharer knows made-up people. The receiver has learnt to answer, and none of the facts. The fuser between them \
            was trained on other people than those asked about here. All numbers are of this run, on this device.
            """)

    @OptionGroup var device: DeviceOptions

    @Option(help: ArgumentHelp("How many held-out questions are asked in each mode.", valueName: "n"))
    var questions = 50

    @Flag(help: "Print one JSON object instead.")
    var json = false

    /// Shown side by side.
    private static let examples = 4
    private static let modes: [EvaluationMode] = [.receiver, .sharer, .text, .c2c]

    func validate() throws {
        if questions < 1 { throw ValidationError("--questions is \(questions); it must be at least 1") }
    }

    func run() throws {
        let pair = try DemoPair(cache: UserCache.directory)
        let models = ResolvedModels(
            receiver: pair.receiver.path, sharers: [pair.sharer.path], fusers: [pair.fuser.path], demo: pair)
        let engine = try Engine(models, modes: Set(Self.modes.map(\.answerMode)))
        let choice = try BackendChoice(device)
        var options = Responder.Options()
        options.context = min(256, engine.maximumContext)
        let responder = try engine.load(on: choice.backend, weightType: nil, options: options)
        let asked = Array(try DemoQuestion.read(pair.questions.path).prefix(questions))

        if !json { try Output.line(Self.introduction(choice.backend.name)) }
        var settings = AnswerSettings()
        settings.maxNewTokens = 24
        let evaluator = Evaluator(responder, method: .generate, settings: settings)
        try evaluator.warmUp(asked.prefix(1).map(\.evaluated), modes: Self.modes)

        let log = ResultLog()
        let shown = asked.prefix(Self.examples)
        try evaluator.run(shown.map(\.evaluated), modes: Self.modes, log: log) { _ in true }
        if !json { try Output.line(Self.examplesTable(Array(shown), log.results)) }
        let progress = ProgressBar("asking", total: (asked.count - shown.count) * Self.modes.count)
        var scores = RunningScores()
        try evaluator.run(asked.map(\.evaluated), modes: Self.modes, log: log) { result in
            scores.add(result)
            progress.add(1, detail: scores.text)
            return true
        }
        progress.finish()
        let controls = try Controls(asked, responder, settings)
        let summary = EvaluationSummary(
            device: choice.backend.name, modes: Self.modes.map(\.rawValue), results: log.results, gates: engine.gates)
        if json {
            try Output.json(Report(device: choice, summary: summary, controls: controls))
        } else {
            try Output.line("\(asked.count) questions about people the fuser never saw:\n\n\(summary.text)\n")
            try Output.line(controls.text + "\n")
            try Output.line(Self.gatesText(engine.gates))
            try Self.conclusion(summary).map { try Output.line("\n" + $0) }
        }
    }

    // MARK: For people

    private static func introduction(_ device: String) -> String {
        """
        Two small language models on \(device).
        The sharer knows some 2,000 made-up people. The receiver has learnt how to answer, and none of the facts.
          receiver  answers alone: it has to guess
          sharer    answers alone
          text      the sharer writes what it knows, the receiver reads it and answers
          c2c       the sharer's KV-cache is projected and fused into the receiver's; no text is written between them

        Some questions, with + for a right answer and - for a wrong one:

        """
    }

    private static func examplesTable(_ questions: [DemoQuestion], _ results: [EvaluationResult]) -> String {
        questions.map { question in
            let rows = results.filter { $0.id == question.evaluated.id }.map { result -> String in
                let name = result.mode + String(repeating: " ", count: max(0, 9 - result.mode.count))
                return "  \(result.correct ? "+" : "-") \(name) \(result.text)"
            }
            return ([question.evaluated.question] + rows).joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }

    /// The point in a sentence; nil where the numbers don't make it.
    private static func conclusion(_ summary: EvaluationSummary) -> String? {
        func mode(_ name: String) -> ModeSummary? { summary.modes.first { $0.mode == name } }
        guard let alone = mode("receiver"), let fused = mode("c2c"), let text = mode("text"),
            let speedup = summary.c2c_speedup_over_text, fused.accuracy > alone.accuracy
        else { return nil }
        func percent(_ share: Double) -> String { (100 * share).decimals(1) + " %" }
        return """
            So the receiver, right in \(percent(alone.accuracy)) of cases alone, is right in \(percent(fused.accuracy)) once it is \
            given the sharer's KV-cache,
            without a word between the two, in \(percent(1 / speedup)) of the time that asking for text takes \
            (\(percent(text.accuracy)) right).
            """
    }

    private static func gatesText(_ gates: [[LayerGates]]) -> String {
        gates.map { layers in
            let rows = layers.map { layer in
                "layer \(layer.receiver_layer) reads the sharer's layer \(layer.sharer_layer): keys "
                    + "\(layer.key > 0 ? "open" : "closed"), values \(layer.value > 0 ? "open" : "closed")"
            }
            return "Gates of the receiver's cache:\n  " + rows.joined(separator: "\n  ")
        }.joined(separator: "\n")
    }

    // MARK: For programs

    private struct Report: Encodable {
        struct Mode: Encodable {
            var accuracy: Double
            var questions: Int
            var tokens: Double
            var sequential_steps: Double
            var median_ttft_s: Double?
            var median_total_s: Double?
        }

        var device: GenerationReport.Device
        var modes: [String: Mode]
        var c2c_latency_over_text: Double?
        var controls: Controls
        var gates: [LayerGates]

        init(device choice: BackendChoice, summary: EvaluationSummary, controls: Controls) {
            device = GenerationReport.Device(index: choice.index, name: choice.backend.name)
            modes = Dictionary(
                uniqueKeysWithValues: summary.modes.map { mode in
                    (
                        mode.mode,
                        Mode(
                            accuracy: mode.accuracy, questions: mode.questions,
                            tokens: mode.tokens + mode.background_tokens, sequential_steps: mode.sequential_steps,
                            median_ttft_s: mode.median_ttft_s, median_total_s: mode.median_total_s)
                    )
                })
            c2c_latency_over_text = summary.c2c_speedup_over_text.map { 1 / $0 }
            self.controls = controls
            gates = summary.gates.first ?? []
        }
    }
}

/// A line of the demo's questions, with what the controls need.
struct DemoQuestion {
    var evaluated: EvaluationQuestion
    /// The same about another person the sharer knows, as many tokens long, and what is right there.
    var otherQuestion: String
    var otherAnswer: String
    /// The same about somebody nobody knows.
    var strangerQuestion: String

    private struct Line: Decodable {
        var question: String
        var answer: String
        var subject: String?
        var other_question: String
        var other_answer: String
        var stranger_question: String
    }

    static func read(_ path: String) throws -> [DemoQuestion] {
        let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        return try text.split(separator: "\n").enumerated().map { index, line in
            do {
                let line = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
                return DemoQuestion(
                    evaluated: EvaluationQuestion(
                        id: "\(index + 1)", question: line.question, expected: .text(line.answer), subject: line.subject
                    ),
                    otherQuestion: line.other_question, otherAnswer: line.other_answer,
                    strangerQuestion: line.stranger_question)
            } catch {
                throw EvaluationError(path, line: index + 1, "is no question of the demo; is the file damaged?")
            }
        }
    }
}

/// What becomes of the answer when the sharer reads about somebody else: the value has to come through the cache.
struct Controls: Encodable {
    var questions: Int
    /// The sharer reads about another person: how often the answer is that person's value, and how often the right one.
    var other_person_says_other: Double
    var other_person_says_right: Double
    /// The sharer reads about somebody it doesn't know.
    var unknown_person_says_right: Double

    init(_ asked: [DemoQuestion], _ responder: Responder, _ settings: AnswerSettings) throws {
        var (other, right, unknown) = (0, 0, 0)
        for question in asked {
            func answer(_ sharerReads: String) throws -> String {
                func prompt(_ text: String) throws -> Prompt {
                    try responder.prompt(for: .conversation([ChatMessage(.user, text)]), mode: .c2c, settings: settings)
                }
                var asked = try prompt(question.evaluated.question)
                asked.sharers = [try prompt(sharerReads).receiver]
                return try responder.answer(asked, mode: .c2c, settings: settings).text
            }
            func says(_ text: String, _ value: String) -> Bool {
                AnswerText.grade(text, for: EvaluationQuestion(id: "", question: "", expected: .text(value))).score == 1
            }
            let swapped = try answer(question.otherQuestion)
            other += says(swapped, question.otherAnswer) ? 1 : 0
            right += says(swapped, question.evaluated.expectedText) ? 1 : 0
            unknown += says(try answer(question.strangerQuestion), question.evaluated.expectedText) ? 1 : 0
        }
        questions = asked.count
        let count = Double(max(1, asked.count))
        other_person_says_other = Double(other) / count
        other_person_says_right = Double(right) / count
        unknown_person_says_right = Double(unknown) / count
    }

    var text: String {
        func percent(_ share: Double) -> String { (100 * share).decimals(1) + " %" }
        return """
            Controls: let the sharer read the question about another person, and the receiver names that person's value in \
            \(percent(other_person_says_other)) of cases (the right one in \(percent(other_person_says_right))); let it read \
            about somebody unknown, and the answer is right in \(percent(unknown_person_says_right)) (chance is 6.3 %).
            """
    }
}
