import Inference
import Testing
import VulkanBackend

/// Whole generations in as many submissions as there can be, against one for each plan.
@Suite(.serialized)
struct SubmissionTests {
    @Test(
        "Many submissions give the same bytes as few",
        arguments: [("two_sharers", true), ("include_response", false)])
    func bytes(_ name: String, loadsByLane: Bool) throws {
        let golden = try GoldenCase(name)
        let expectation = try #require(golden.expectations.first)
        let answers = try [1e9, 1e-9].map { seconds in
            var options = VulkanBackendOptions()
            options.submissionSeconds = seconds
            if !loadsByLane { options.loadsByLane = false }
            var answer: [[Float]] = []
            var count = 0
            try TestBackend.runVulkan(options) { backend in
                let loaded = try LoadedCase(golden, on: backend)
                let session = try loaded.session(expectation.fusion, withSharers: true, cacheType: .f16, chunk: 7)
                var logits: [Float] = []
                let tokens = try session.generate(
                    expectation.prompt, maxNewTokens: golden.maxNewTokens, onStepLogits: { logits += $0 }
                ).tokens
                let caches = [session.receiverCache] + session.sharerCaches.compactMap(\.self)
                answer =
                    [tokens.map { Float($0) }, logits]
                    + (try caches.flatMap { try ($0.keys + $0.values).map { try backend.read($0) } })
                count = try backend.submissions().count
            }
            return (answer, count)
        }
        #expect(answers[0].0 == answers[1].0)
        #expect(answers[1].1 > 10 * answers[0].1)
    }
}
