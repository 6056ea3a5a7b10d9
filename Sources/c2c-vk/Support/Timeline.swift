import Chat
import Inference

/// Where the wall-clock time of one answer went, from the program's start on: parts that follow each other, and add up.
struct Timeline: Encodable {
    /// Finding models, reading their configuration, and checking that they fit.
    var open_s: Double
    /// Opening the device, and weights and tokenizers.
    var load_s: Double
    /// Making kernels that weren't there yet: by the driver's compiler, or from its cache. Drivers of CPUs compile when a kernel
    /// first runs; those runs count here.
    var kernels_s: Double
    /// Making plans: what runs, where, and after what.
    var plans_s: Double
    /// The rest of the time to each model's first token: prefill and fusion, as far as the program waited for them. What they
    /// took on the device, which also works while kernels and plans are made, is in `timings`.
    var prompt_s: Double
    /// From each model's first token to its last.
    var decode_s: Double
    /// Templates, tokenizers and memory of caches.
    var other_s: Double
    /// All of the above.
    var total_s: Double

    init(open: Double, load: Double, total: Double, answer: Answer) {
        func sum(_ seconds: (GenerationResult) -> Double) -> Double {
            answer.stages.reduce(0) { $0 + seconds($1.result) }
        }
        open_s = open
        load_s = load
        kernels_s = sum(\.compileTime.kernels)
        plans_s = sum(\.compileTime.plans)
        prompt_s = sum(\.timeToFirstToken) - kernels_s - plans_s
        decode_s = sum(\.decodeSeconds)
        other_s = total - open - load - kernels_s - plans_s - prompt_s - decode_s
        total_s = total
    }

    var text: String {
        let parts = [
            ("opening", open_s), ("loading", load_s), ("kernels", kernels_s), ("plans", plans_s), ("prompt", prompt_s),
            ("decode", decode_s), ("other", other_s),
        ]
        return "\(total_s.decimals(2)) s in all: "
            + parts.map { "\($0.0) \($0.1.decimals(2))" }.joined(separator: ", ")
    }
}
