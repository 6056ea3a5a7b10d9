import ArgumentParser
import Chat
import Evaluation
import Foundation
import Inference
import OutputFiles
import VulkanCompute

extension Evaluator.Method: ExpressibleByArgument {}
extension QuestionFormat: ExpressibleByArgument {}

struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measures how well, and how fast, each way of answering does on a set of questions.",
        discussion: """
            Questions are JSON lines, a JSON array, or a table with commas, semicolons or tabs: question, choices and answer, \
            or question and answer for free text; or the fields of a public set (see --format), which are recognised. Without \
            a file, the embedded pair's own held-out questions are asked. With --output, results are kept as they come, and \
            an interrupted evaluation goes on where it was; a file that holds anything else is left as it is.

            Questions are asked one by one, so that their latency is their own. With --batch, several are read, fused and \
            answered together, which loads each weight once for all: the same answers, more questions per second, and no \
            latency. Their results come a batch at a time, with its size and its seconds.
            """)

    @OptionGroup var models: PairOptions
    @OptionGroup var alignment: AlignmentOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var conversation: ConversationOptions

    @Option(
        help: ArgumentHelp("The questions; - for standard input.", valueName: "file.jsonl|file.csv"),
        completion: .file())
    var questions: String?

    @Option(
        help: ArgumentHelp(
            "Where the file's fields are: \(QuestionFormat.allCases.map(\.rawValue).joined(separator: ", ")). Default: as they look.",
            valueName: "name"))
    var format: QuestionFormat?

    @Option(
        help: ArgumentHelp(
            "The modes to compare: receiver, sharer, text, c2c, and oracle, the receiver with a cache made better by exemplars. Default: the first four, as far as the models allow.",
            valueName: "list"))
    var modes: String?

    @Option(help: "generate: the answer is read from the text. logits: the likeliest letter is the answer.")
    var method = Evaluator.Method.generate

    @Option(
        name: .customLong("shots"),
        help: ArgumentHelp(
            "Exemplars that mode oracle reads; the set's last questions, which are then not asked. Default: 4.",
            valueName: "n"))
    var givenShots: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("Ask only the first N questions.", valueName: "n"))
    var limit: Int?

    @Option(
        help: ArgumentHelp(
            "Questions asked together, in any mode and by any method; auto: as many as memory holds, up to \(BatchSize.automaticLimit). Default: 1.",
            valueName: "n|auto"), transform: BatchSize.init)
    var batch = BatchSize.fixed(1)

    @Flag(help: "Ask in random order, the same for the same --seed.")
    var shuffle = false

    @Option(name: .customLong("seed"), help: ArgumentHelp("Where --shuffle begins. Default: 0.", valueName: "n"))
    var givenSeed: UInt64?

    @Option(
        name: .customLong("max-new-tokens"),
        help: ArgumentHelp("The most tokens of an answer. Default: 64.", valueName: "n"))
    var givenMaxNewTokens: Int?

    @Option(
        help: ArgumentHelp("Keep the results here, and go on from what is there.", valueName: "file.jsonl"),
        completion: .file())
    var output: String?

    @Option(help: ArgumentHelp("Write a page with charts.", valueName: "file.html"), completion: .file())
    var report: String?

    @Flag(help: "Let --report replace a file that is no report of an evaluation.")
    var force = false

    @Flag(help: "Print one JSON object instead of tables.")
    var json = false

    private var shots: Int { givenShots ?? 4 }
    private var seed: UInt64 { givenSeed ?? 0 }
    private var maxNewTokens: Int { givenMaxNewTokens ?? 64 }

    func validate() throws {
        try alignment.check(for: models)
        try conversation.check(for: models)
        if let limit, limit < 1 { throw ValidationError("--limit is \(limit); it must be at least 1") }
        if force, report == nil { throw ValidationError("--force goes with --report") }
        if shots < 1 { throw ValidationError("--shots is \(shots); it must be at least 1") }
        if maxNewTokens < 1 {
            throw ValidationError("--max-new-tokens is \(maxNewTokens); it must be at least 1")
        }
    }

    func run() throws {
        do {
            try evaluate()
        } catch is ResultLog.ReaderGone {
            // Whoever reads the results, as `head` does, has enough of them.
            throw ExitCode.success
        }
    }

    private func evaluate() throws {
        let pair = try models.resolved(align: alignment.strategy)
        let wanted = try chosenModes(pair)
        remarks(wanted).forEach(Output.remark)
        let file = questions ?? pair.demo?.questions.path
        guard let file else { throw UsageError("no questions are given; name a file with --questions FILE") }
        let set = try QuestionFile.load(file, format: format)
        if set.leftOut > 0 {
            Output.remark(
                "\(set.leftOut) of \(set.leftOut + set.questions.count) questions have no right answer; not asked")
        }
        var asked = set.questions
        if shuffle {
            var generator = SplitMix64(state: seed)
            asked.shuffle(using: &generator)
        }
        var exemplars: [EvaluationQuestion] = []
        if wanted.contains(.oracle) {
            guard asked.count > shots else {
                throw UsageError("--shots \(shots) leaves none of the \(asked.count) questions to ask")
            }
            exemplars = Array(asked.suffix(shots))
            asked.removeLast(shots)
        }
        if let limit { asked = Array(asked.prefix(limit)) }

        var settings = AnswerSettings()
        settings.maxNewTokens = maxNewTokens
        conversation.apply(to: &settings)
        let place = try report.map { try OutputPlace($0, replacing: ReportPage.mark, isForced: force) }
        let engine = try Engine(pair, modes: Set(wanted.map(\.answerMode)))
        let choice = try BackendChoice(compute.device)
        let settingsUsed = try self.settings(pair, settings, Fingerprint.of(set.questions), choice.backend.name)
        let names = self.names(pair, file)
        let log = try output.map { try ResultLog(path: $0, settings: settingsUsed, names: names) } ?? ResultLog()
        // Results that were begun just now may be in the place of the report.
        try place?.check()
        let responder = try engine.load(
            on: choice.backend, weightType: compute.weights.elementType, options: Responder.Options(compute))
        let evaluator = Evaluator(
            responder, method: method, settings: settings, opening: conversation.opening,
            exemplars: exemplars)

        let batch = try batch.count { try evaluator.questionsThatFit(asked, modes: wanted) }
        let open = asked.flatMap { question in wanted.map { (question.id, $0.rawValue) } }
            .filter { !log.contains(id: $0.0, mode: $0.1) }.count
        let progress = ProgressBar("asking", total: open)
        var scores = RunningScores()
        Interrupt.catchSignal()
        var isInterrupted = false
        do {
            if open > 0 { try evaluator.warmUp(Array(asked.prefix(batch)), modes: wanted) }
            try evaluator.run(asked, modes: wanted, log: log, batch: batch) { result in
                scores.add(result)
                progress.add(1, detail: scores.text)
                isInterrupted = isInterrupted || Interrupt.take()
                return !isInterrupted
            }
        } catch VulkanError.outOfMemory(let facts) where batch > 1 {
            Output.remark("\(batch) questions at a time take more memory than there is; --batch auto asks fewer")
            throw VulkanError.outOfMemory(facts)
        }
        progress.finish()
        // A file may hold more than was asked for now.
        let ids = Set(asked.map(\.id))
        let results = log.results.filter { ids.contains($0.id) }
        let summary = EvaluationSummary(
            device: choice.backend.name, modes: wanted.map(\.rawValue), results: results, gates: engine.gates)
        // The file first, as standard output may be the one that can't be written.
        if let place {
            let page = ReportPage.html(summary, results, settings: settingsUsed.merging(names) { $1 })
            try OutputFile.write(Data(page.utf8), to: place)
        }
        if json { try Output.json(summary) } else { try Output.line(summary.text) }
        if isInterrupted {
            Output.remark(output == nil ? "interrupted" : "interrupted; the same command goes on from here")
            throw ExitCode(130)
        }
    }

    /// What is given and does nothing in this evaluation, though it would in another.
    private func remarks(_ modes: [EvaluationMode]) -> [String] {
        var remarks: [String] = []
        if givenShots != nil, !modes.contains(.oracle) { remarks.append("--shots does nothing without mode oracle") }
        if givenSeed != nil, !shuffle { remarks.append("--seed does nothing without --shuffle") }
        if givenMaxNewTokens != nil, method == .logits {
            remarks.append("--max-new-tokens does nothing with --method logits")
        }
        guard !modes.contains(.text) else { return remarks }
        return remarks + conversation.backgroundFlags.map { "\($0) does nothing without mode text" }
    }

    private func chosenModes(_ pair: ResolvedModels) throws -> [EvaluationMode] {
        guard let modes else {
            return EvaluationMode.allCases.filter { $0 != .oracle && pair.possibleModes.contains($0.answerMode) }
        }
        let names = modes.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard !names.isEmpty else { throw UsageError("--modes names no mode; give some, such as receiver,c2c") }
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw UsageError("--modes names \(twice) twice")
        }
        return try names.map { name in
            guard let mode = EvaluationMode(rawValue: name) else {
                throw UsageError(
                    "--modes: there is no mode \(name); there are "
                        + EvaluationMode.allCases.map(\.rawValue).joined(separator: ", "))
            }
            guard pair.possibleModes.contains(mode.answerMode) else {
                throw UsageError("--modes: \(name) needs a receiver, a sharer and, for c2c, their fuser")
            }
            return mode
        }
    }

    /// What results depend on, whichever questions are asked in whichever modes: every option that changes an answer or its
    /// time, and digests of the files behind names.
    private func settings(
        _ pair: ResolvedModels, _ answers: AnswerSettings, _ questions: String, _ device: String
    ) throws -> [String: String] {
        func digests(_ paths: [String]) throws -> String {
            try paths.map(Fingerprint.of(directory:)).joined(separator: "+")
        }
        return [
            "questions": questions, "receiver": try digests(pair.receiver.map { [$0] } ?? []),
            "sharers": try digests(pair.sharers), "fusers": try digests(pair.fusers),
            "method": method.rawValue, "shots": "\(shots)", "shuffle": shuffle ? "seed \(seed)" : "off",
            "max-new-tokens": "\(maxNewTokens)", "system": conversation.system ?? "",
            "sharer-system": conversation.sharerSystem.map { "\"\($0)\"" } ?? "same",
            "thinking": conversation.thinking.rawValue, "background-tokens": "\(answers.textToText.maxNewTokens)",
            "background-request": answers.textToText.request, "fusion": models.fusion?.rawValue ?? "auto",
            "align": alignment.strategy.rawValue, "device": device, "kv-dtype": compute.kvDtype.rawValue,
            "weights": compute.weights.rawValue, "context": compute.context.map { "\($0)" } ?? "auto",
        ]
    }

    /// What the digests are of.
    private func names(_ pair: ResolvedModels, _ file: String) -> [String: String] {
        var names = ["questions": file == "-" ? "standard input" : file]
        names["receiver"] = pair.receiver
        if !pair.sharers.isEmpty { names["sharers"] = pair.sharers.joined(separator: " ") }
        if !pair.fusers.isEmpty { names["fusers"] = pair.fusers.joined(separator: " ") }
        return names
    }
}

/// How many questions are asked together.
enum BatchSize {
    case fixed(Int)
    /// As many as memory has room for.
    case auto

    /// More bring little: from some 16 on, work that is done for each question outweighs the loads of weights they share.
    static let automaticLimit = 16

    init(_ argument: String) throws {
        if argument == "auto" {
            self = .auto
        } else if let count = Int(argument), count > 0 {
            self = .fixed(count)
        } else {
            throw ValidationError("give a number of at least 1, or auto")
        }
    }

    /// - Parameter fitting: how many memory has room for.
    func count(_ fitting: () throws -> Int) rethrows -> Int {
        switch self {
        case .fixed(let count): count
        case .auto: min(try fitting(), Self.automaticLimit)
        }
    }
}

/// Random numbers that are the same on every machine (Steele et al., 2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
