import Inference
import Testing

/// A prompt whose reading is ended in the middle, and what comes after it.
@Suite(.serialized)
struct InterruptedReadingTests {
    private struct Enough: Error {}

    @Test(
        "Wherever reading ends, the next prompt is answered as if nothing had been",
        arguments: ["sections", "two_sharers", "qwen3_from_llama_aligned", "include_response"],
        [TestBackend.reference, .vulkan])
    func anywhere(_ name: String, _ kind: TestBackend) throws {
        let golden = try GoldenCase(name)
        try kind.run { backend in
            let loaded = try LoadedCase(golden, on: backend)
            let expectation = golden.expectations[0]
            for overlaps in [false, true] {
                let session = try loaded.session(
                    expectation.fusion, withSharers: true, cacheType: .f32, chunk: 7, overlapsPrefill: overlaps)
                var calls = 0
                var ends = 0
                var isInterrupted = true
                while isInterrupted {
                    isInterrupted = false
                    var left = ends
                    var last = ReadingProgress?.none
                    do {
                        _ = try session.generate(
                            [expectation.prompt], keepsPrefix: true, maxNewTokens: 2,
                            onRead: { progress in
                                calls += 1
                                #expect(progress.rows <= progress.total && progress.rows >= last?.rows ?? 0)
                                last = progress
                                left -= 1
                                if left < 0 { throw Enough() }
                            })
                    } catch is Enough {
                        isInterrupted = true
                    }
                    // What an interrupted reading left must not be taken for more than it is.
                    let next = try session.generate([expectation.prompt], keepsPrefix: true, maxNewTokens: 5)[0]
                    #expect(next.tokens == Array(expectation.tokens.prefix(5)), "ended at call \(ends + 1)")
                    // From nothing again.
                    _ = try session.generate(
                        [Prompt([1], sections: [Section(length: 1, sharerMask: -1)])], maxNewTokens: 1)
                    ends += 1
                }
                #expect(calls > ends && ends > 3)
            }
        }
    }
}
