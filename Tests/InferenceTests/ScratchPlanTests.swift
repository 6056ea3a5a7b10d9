import Inference
import Testing

@Suite
struct ScratchPlanTests {
    /// A chain of random length in which each tensor is made from one or two earlier ones.
    private func randomGraph(seed: UInt64) -> Graph {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var graph = Graph(name: "random")
        var views = [graph.scratch("start", TensorShape(columns: 1 + random(500)))]
        for index in 0..<40 {
            let input = views[random(views.count)]
            let output = graph.scratch("t\(index)", TensorShape(rows: 1 + random(4), columns: 1 + random(500)))
            graph.add(.swiGLU(SwiGLU(input: input, output: output)))
            views.append(output)
        }
        return graph
    }

    @Test("tensors that are alive together never share bytes", arguments: 0..<50)
    func disjoint(_ seed: Int) throws {
        let graph = randomGraph(seed: UInt64(seed))
        let plan = ScratchPlan(graph, alignment: 256)
        var lifetimes: [Tensor: (first: Int, last: Int)] = [:]
        for (index, op) in graph.ops.enumerated() {
            for tensor in op.reads + op.writes {
                lifetimes[tensor] = (lifetimes[tensor]?.first ?? index, index)
            }
        }
        for (a, lifeA) in lifetimes {
            let startA = try #require(plan.offsets[a])
            let endA = startA + graph.info(a).shape.storedCount * 4
            #expect(startA % 256 == 0 && endA <= plan.byteCount)
            for (b, lifeB) in lifetimes where a != b && lifeA.first <= lifeB.last && lifeB.first <= lifeA.last {
                let startB = try #require(plan.offsets[b])
                #expect(endA <= startB || startB + graph.info(b).shape.storedCount * 4 <= startA)
            }
        }
        let total = lifetimes.keys.reduce(0) { $0 + (graph.info($1).shape.storedCount * 4 + 255) / 256 * 256 }
        #expect(plan.byteCount <= total)
    }

    @Test("a chain needs the memory of two neighbours, not of all")
    func reuse() {
        var graph = Graph(name: "chain")
        var view = graph.scratch("0", TensorShape(columns: 128))
        for index in 1..<20 {
            let next = graph.scratch("\(index)", TensorShape(columns: 128))
            graph.add(.swiGLU(SwiGLU(input: view, output: next)))
            view = next
        }
        #expect(ScratchPlan(graph, alignment: 256).byteCount == 2 * 512)
    }

    @Test("what one of joined ops reads never shares bytes with what another writes")
    func joined() throws {
        var graph = Graph(name: "joined")
        let input = graph.scratch("input", TensorShape(columns: 64))
        let product = graph.scratch("product", TensorShape(columns: 64))
        let output = graph.scratch("output", TensorShape(columns: 32))
        graph.add(.swiGLU(SwiGLU(input: input, output: product)))
        graph.add(.swiGLU(SwiGLU(input: product, output: output)))
        let apart = ScratchPlan(graph, alignment: 16)
        #expect(apart.offsets[input.tensor] == apart.offsets[output.tensor])
        let joined = ScratchPlan(graph, alignment: 16, joined: [0..<2])
        #expect(joined.byteCount == (64 + 64 + 32) * 4)
    }
}

@Suite
struct IndependentPartsTests {
    @Test("parts that run side by side share no scratch memory, and each shares its own")
    func scratch() {
        var graph = Graph(name: "parts")
        func chain(_ graph: inout Graph) {
            var input = graph.scratch("input", TensorShape(columns: 64))
            for _ in 0..<4 {
                let output = graph.scratch("output", TensorShape(columns: 64))
                graph.add(.swiGLU(SwiGLU(input: input, output: output)))
                input = output
            }
        }
        graph.addIndependent([chain, chain])
        #expect(graph.independentParts == [0..<4, 4..<8])
        let plan = ScratchPlan(graph, alignment: 256)
        // Two tensors of a chain are alive at a time.
        #expect(plan.byteCount == 4 * 256)
        let offsets = graph.independentParts.map { part in
            Set(graph.ops[part].flatMap { $0.reads + $0.writes }.compactMap { plan.offsets[$0] })
        }
        #expect(offsets[0].isDisjoint(with: offsets[1]))
    }
}
