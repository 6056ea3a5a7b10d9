import Inference
import ReferenceBackend
import Testing
import VulkanBackend

/// What a run is given before it starts.
@Suite(.serialized)
struct InputTests {
    @Test("an input of any size is there when the plan runs", arguments: [1, 16_384, 16_385, 40_000, 151_936])
    func sizes(_ count: Int) throws {
        for backend in [ReferenceBackend(), VulkanBackend(try TestDevice.device())] as [any Backend] {
            let numbers = try backend.makeTensor("numbers", .init(columns: count), .u32, placement: .device)
            var graph = Graph(name: "add")
            // It adds to the last number, so what the plan found there shows.
            let last = graph.boundView(numbers).columns(count - 1..<count)
            graph.add(.advance(Advance(counter: last, amount: 3)))
            let plan = try backend.compile(graph)
            for run in 0..<2 {
                let values = (0..<count).map { UInt32($0 + 100 * run) }
                try backend.execute(plan, inputs: [PlanInput(numbers, values)], phase: .decode)
                var expected = values
                expected[count - 1] += 3
                #expect(try backend.readIDs(numbers, 0..<count) == expected)
            }
        }
    }

    @Test("an input that is longer than its tensor is an error")
    func tooLong() throws {
        for backend in [ReferenceBackend(), VulkanBackend(try TestDevice.device())] as [any Backend] {
            let numbers = try backend.makeTensor("numbers", .init(columns: 8), .u32, placement: .device)
            var graph = Graph(name: "add")
            let first = graph.boundView(numbers).columns(0..<1)
            graph.add(.advance(Advance(counter: first, amount: 0)))
            let plan = try backend.compile(graph)
            #expect(throws: (any Error).self) {
                try backend.execute(
                    plan, inputs: [PlanInput(numbers, Array(repeating: 1, count: 40_000))], phase: .decode)
            }
        }
    }

    @Test("what a refused run was given isn't written later")
    func refused() throws {
        for backend in [ReferenceBackend(), VulkanBackend(try TestDevice.device())] as [any Backend] {
            let first = try backend.makeTensor("first", .init(columns: 4), .u32, placement: .device)
            let second = try backend.makeTensor("second", .init(columns: 4), .u32, placement: .device)
            var graph = Graph(name: "add")
            graph.add(.advance(Advance(counter: graph.boundView(first).columns(0..<1), amount: 1)))
            let plan = try backend.compile(graph)
            #expect(throws: (any Error).self) {
                try backend.execute(
                    plan, inputs: [PlanInput(first, [7]), PlanInput(second, Array(repeating: 1, count: 20_000))],
                    phase: .decode)
            }
            try backend.execute(plan, inputs: [], phase: .decode)
            #expect(try backend.readIDs(first, 0..<1) == [1])
        }
    }
}
