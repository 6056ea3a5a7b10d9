import Chat
import Inference

/// What `generate --json` prints.
struct GenerationReport: Encodable {
    struct Device: Encodable {
        /// Null for the CPU reference.
        var index: Int?
        var name: String

        enum CodingKeys: CodingKey {
            case index, name
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(index, forKey: .index)
            try container.encode(name, forKey: .name)
        }
    }

    struct Timings: Encodable {
        var load_s: Double
        var sharer_prefill_s: Double
        var receiver_prefill_s: Double
        var fusion_s: Double
        var ttft_s: Double
        var decode_s: Double
        var decode_tokens_per_s: Double
    }

    struct Memory: Encodable {
        var weights_bytes: Int
        var kv_cache_bytes: Int
        var peak_device_bytes: Int
    }

    /// One model's part; only text-to-text has two.
    struct Stage: Encodable {
        var model: String
        var prompt_tokens: [Int]
        var tokens: [Int]
        var text: String
        var finish_reason: String
        var prefill_s: Double
        var ttft_s: Double
        var decode_s: Double

        init(_ stage: AnswerStage) {
            model = stage.model
            prompt_tokens = stage.prompt.receiver.ids
            tokens = stage.result.tokens
            text = stage.text
            finish_reason = stage.result.finishReason.rawValue
            prefill_s = stage.phaseSeconds[.receiverPrefill] ?? 0
            ttft_s = stage.result.timeToFirstToken
            decode_s = stage.result.decodeSeconds
        }
    }

    var mode: String
    var device: Device
    var prompt_tokens: [Int]
    /// What the first sharer read, where that differs from `prompt_tokens`.
    var sharer_prompt_tokens: [Int]?
    var tokens: [Int]
    var text: String
    var finish_reason: String
    /// From the question to the answer's last token, of all stages.
    var total_s: Double
    /// Forward passes that had to wait for each other, of all stages.
    var sequential_steps: Int
    var stages: [Stage]?
    var timings: Timings
    /// All of the program's time, in parts that add up.
    var timeline: Timeline
    var memory: Memory

    init(choice: BackendChoice, responder: Responder, answer: Answer, timeline: Timeline) {
        self.timeline = timeline
        let final = answer.final
        mode = answer.mode.rawValue
        device = Device(index: choice.index, name: choice.backend.name)
        prompt_tokens = final.prompt.receiver.ids
        sharer_prompt_tokens = final.prompt.sharers.first?.ids
        tokens = answer.tokens
        text = answer.text
        finish_reason = final.result.finishReason.rawValue
        sequential_steps = answer.sequentialSteps
        stages = answer.stages.count > 1 ? answer.stages.map(Stage.init) : nil
        // A sharer that answers, or writes in text-to-text, is prefilled as a receiver is, in a stage of its own.
        let first = answer.stages[0]
        let sharerSeconds = first.model == "sharer" ? first.phaseSeconds[.receiverPrefill] : nil
        // What ran side by side took each of them that long.
        let joint = final.phaseSeconds[.jointPrefill] ?? 0
        let decodeSeconds = final.result.decodeSeconds
        timings = Timings(
            load_s: timeline.load_s,
            sharer_prefill_s: sharerSeconds ?? (final.phaseSeconds[.sharerPrefill] ?? 0) + joint,
            receiver_prefill_s: final.model == "receiver" ? (final.phaseSeconds[.receiverPrefill] ?? 0) + joint : 0,
            fusion_s: final.phaseSeconds[.fusion] ?? 0, ttft_s: answer.timeToFirstToken, decode_s: decodeSeconds,
            decode_tokens_per_s: decodeSeconds > 0 ? Double(final.result.decodedTokens) / decodeSeconds : 0)
        total_s = answer.totalSeconds
        memory = Memory(
            weights_bytes: responder.weightBytes, kv_cache_bytes: responder.cacheBytes,
            peak_device_bytes: choice.backend.memory.peak)
    }

    /// For people: what was done, and where the time went.
    var summary: String {
        func milliseconds(_ seconds: Double) -> String { (seconds * 1000).decimals(1) }
        var parts = ["\(mode) on \(device.name): \(prompt_tokens.count) prompt tokens"]
        if let written = stages?.first {
            parts.append(
                "\(written.tokens.count) background tokens in \(milliseconds(written.ttft_s + written.decode_s)) ms")
        }
        parts.append(
            "first token after \(milliseconds(timings.ttft_s)) ms (sharer \(milliseconds(timings.sharer_prefill_s)), "
                + "receiver \(milliseconds(timings.receiver_prefill_s)), fusion \(milliseconds(timings.fusion_s)))")
        parts.append("\(tokens.count) tokens, \(timings.decode_tokens_per_s.decimals(1)) tokens/s")
        parts.append("peak device memory \(formatBytes(memory.peak_device_bytes))")
        return parts.joined(separator: ", ") + "\n" + timeline.text
    }
}
