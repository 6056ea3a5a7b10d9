extension Graph {
    /// Checks, before anything is compiled, that every op's operands fit.
    ///
    /// - Throws: `InferenceError.badGraph` naming the op and what doesn't fit.
    public func validate() throws {
        for (index, op) in ops.enumerated() {
            do {
                try check(op)
            } catch let problem as OpProblem {
                throw InferenceError.badGraph("\(name): op \(index), \(op.kernelName): \(problem.text)")
            }
        }
    }

    private struct OpProblem: Error {
        var text: String
    }

    private func require(_ condition: Bool, _ text: @autoclosure () -> String) throws {
        if !condition { throw OpProblem(text: text()) }
    }

    /// A view within its tensor, of float32.
    private func checkActivation(_ view: TensorView, _ what: String) throws {
        let info = info(view.tensor)
        try require(info.type == .f32, "\(what) is of \(info.type), not f32")
        try checkBounds(view, what)
    }

    /// One u32 within its tensor.
    private func checkCounter(_ view: TensorView, _ what: String) throws {
        try require(info(view.tensor).type == .u32, "\(what) is not u32")
        try require(view.batch * view.rows * view.columns == 1, "\(what) is not a single number")
        try checkBounds(view, what)
    }

    /// A row of u32 within its tensor.
    private func checkNumbers(_ view: TensorView, _ what: String) throws {
        try require(info(view.tensor).type == .u32, "\(what) are not u32")
        try require(view.batch * view.rows == 1, "\(what) are several rows")
        try checkBounds(view, what)
    }

    private func checkBounds(_ view: TensorView, _ what: String) throws {
        try require(view.batch * view.rows * view.columns > 0, "\(what) is empty")
        try require(
            view.offset >= 0 && view.offset + view.extent <= info(view.tensor).shape.storedCount,
            "\(what) reaches outside \(info(view.tensor).name)")
    }

    private func checkCache(_ cache: Tensor, width: Int) throws {
        let info = info(cache)
        try checkCacheType(info)
        try require(
            info.shape.batch * info.shape.columns == width,
            "\(info.name) has \(info.shape.batch) heads of \(info.shape.columns), the rows have \(width) columns")
        try require(info.shape.columns % 2 == 0, "\(info.name) has heads of an odd number of columns")
    }

    private func checkCacheType(_ info: TensorInfo) throws {
        try require(info.type != .u32 && info.type != .q4_0, "\(info.name) is of \(info.type)")
        // Whole blocks, so that none reaches from one row into padding that kernels would have to know of.
        try require(
            info.type != .q8_0 || info.shape.columns % BlockFormat.columns == 0,
            "\(info.name) has heads of \(info.shape.columns) columns, q8_0 needs a multiple of \(BlockFormat.columns)")
    }

    private func check(_ op: Op) throws {
        switch op {
        case .embed(let op): try check(op)
        case .rmsNorm(let op): try check(op)
        case .linear(let op): try check(op)
        case .rope(let op): try check(op)
        case .attention(let op): try check(op)
        case .swiGLU(let op): try check(op)
        case .readCache(let op):
            try checkCache(op.cache, width: op.output.columns)
            try checkCounter(op.position, "position")
            try checkActivation(op.output, "output")
            try require(op.output.batch == 1, "output has several matrices")
        case .writeCache(let op):
            try checkCache(op.cache, width: op.input.columns)
            try checkCounter(op.position, "position")
            try checkActivation(op.input, "input")
            try require(op.input.batch == 1, "input has several matrices")
        case .gatedAdd(let op): try check(op)
        case .argmax(let op):
            try checkActivation(op.logits, "logits")
            try require(op.logits.batch * op.logits.rows == 1, "logits have several rows")
            try checkCounter(op.token, "token")
            try checkCounter(op.step, "step")
            try require(info(op.log).type == .u32, "log is not u32")
        case .penalize(let op):
            try checkActivation(op.logits, "logits")
            try checkCounts(op.counts, op.logits.columns)
            try require(op.logits.batch * op.logits.rows == 1, "logits have several rows")
            try require(op.repetition > 0, "repetition penalty \(op.repetition) is not positive")
        case .sample(let op):
            try checkActivation(op.logits, "logits")
            try checkActivation(op.weights, "weights")
            try require(op.logits.batch * op.logits.rows == 1, "logits have several rows")
            try require(op.weights.columns == op.logits.columns, "weights differ in number from logits")
            try require(op.temperature > 0, "temperature \(op.temperature) is not positive")
            try require(op.topK ?? 1 > 0 && op.topP > 0, "nothing is left to sample")
            try require(info(op.seed.tensor).type == .u32 && op.seed.columns == 2, "seed is not two u32")
            try checkCounter(op.token, "token")
            try checkCounter(op.step, "step")
            try require(info(op.log).type == .u32, "log is not u32")
        case .tally(let op):
            try checkNumbers(op.tokens, "tokens")
            try op.count.map { try checkCounter($0, "count") }
            try require(info(op.counts).type == .u32, "counts are not u32")
        case .flagRows(let op):
            try checkNumbers(op.bounds, "bounds")
            try checkCounter(op.count, "count")
            try require(info(op.flags).type == .u32, "flags are not u32")
        case .magnitude(let op):
            try checkActivation(op.input, "input")
            try checkNumbers(op.result, "result")
            try require(op.result.columns == 2, "result is not two numbers")
        case .advance(let op):
            try checkCounter(op.counter, "counter")
            try require(op.amount >= 0, "amount is negative")
        }
    }

    private func checkCounts(_ counts: Tensor, _ vocabulary: Int) throws {
        let counts = info(counts)
        try require(
            counts.type == .u32 && counts.shape.columns == vocabulary,
            "counts are \(counts.shape), not \(vocabulary) u32")
    }

    private func check(_ op: Embed) throws {
        try require(info(op.ids.tensor).type == .u32, "ids are not u32")
        try checkBounds(op.ids, "ids")
        try checkActivation(op.output, "output")
        try require(info(op.table).type != .u32, "table is of u32")
        let table = info(op.table).shape
        try require(op.ids.columns == op.output.rows, "\(op.ids.columns) ids for \(op.output.rows) rows")
        try require(
            table.batch == 1 && table.columns == op.output.columns, "table \(table) for \(op.output.columns) columns")
    }

    private func check(_ op: RMSNorm) throws {
        try checkActivation(op.input, "input")
        try checkActivation(op.output, "output")
        try checkSameSize(op.input, op.output)
        let weight = info(op.weight)
        try require(weight.type == .f32, "weight is not f32")
        try require(op.groups > 0 && op.input.columns % op.groups == 0, "\(op.groups) groups do not divide the columns")
        try require(
            weight.shape.batch == op.input.batch && weight.shape.rows == 1
                && weight.shape.columns == op.input.columns / op.groups,
            "weight is \(weight.shape)")
    }

    private func check(_ op: Linear) throws {
        try checkActivation(op.input, "input")
        try checkActivation(op.output, "output")
        let weight = info(op.weight)
        try require(weight.type != .u32, "weight is of u32")
        try require(
            weight.shape.batch == op.input.batch && weight.shape.batch == op.output.batch
                && weight.shape.columns == op.input.columns && weight.shape.rows == op.output.columns
                && op.input.rows == op.output.rows,
            "weight \(weight.shape) does not turn \(op.input.columns) columns into \(op.output.columns)")
        if let bias = op.bias.map(info) {
            try require(
                bias.type == .f32
                    && bias.shape == TensorShape(batch: weight.shape.batch, columns: weight.shape.rows),
                "bias is \(bias.shape) of \(bias.type)")
        }
        if let residual = op.residual {
            try checkActivation(residual, "residual")
            try checkSameSize(residual, op.output)
        }
    }

    private func check(_ op: RoPE) throws {
        try checkActivation(op.input, "input")
        try checkActivation(op.output, "output")
        try checkSameSize(op.input, op.output)
        try checkCounter(op.position, "position")
        try require(
            op.input.batch == 1 && op.headDim > 0 && op.headDim % 2 == 0 && op.input.columns % op.headDim == 0,
            "heads of \(op.headDim) columns do not fit \(op.input.columns)")
        let table = info(op.table)
        try require(table.type == .f32 && table.shape.columns == op.headDim, "table is \(table.shape)")
    }

    private func check(_ op: Attention) throws {
        try checkActivation(op.queries, "queries")
        try checkActivation(op.output, "output")
        try checkSameSize(op.queries, op.output)
        try checkCounter(op.position, "position")
        let (keys, values) = (info(op.keys), info(op.values))
        try require(keys.shape == values.shape && keys.type == values.type, "keys and values differ in form")
        try checkCacheType(keys)
        try require(
            op.heads > 0 && op.heads % keys.shape.batch == 0 && op.queries.batch == 1
                && op.queries.columns == op.heads * keys.shape.columns,
            "\(op.heads) heads do not fit keys \(keys.shape)")
        try require(op.firstToken >= 0, "the first token is \(op.firstToken)")
        if let padding = op.padding.map(info) {
            try require(
                padding.type == .u32 && padding.shape == TensorShape(columns: keys.shape.rows),
                "padding is \(padding.shape) of \(padding.type) for \(keys.shape.rows) rows")
        }
    }

    private func check(_ op: SwiGLU) throws {
        try checkActivation(op.input, "input")
        try checkActivation(op.output, "output")
        try require(
            op.input.batch == 1 && op.output.batch == 1 && op.input.rows == op.output.rows
                && op.input.columns == 2 * op.output.columns,
            "input has \(op.input.columns) columns, output \(op.output.columns)")
    }

    private func check(_ op: GatedAdd) throws {
        try checkActivation(op.projected, "projected")
        try checkActivation(op.scale, "scale")
        try checkCache(op.cache, width: op.projected.columns)
        try checkCounter(op.position, "position")
        try require(
            op.projected.batch == 1 && op.scale.batch == 1 && op.scale.rows == op.projected.rows
                && op.scale.columns == info(op.cache).shape.batch,
            "\(op.scale.columns) scales for cache \(info(op.cache).shape)")
    }

    private func checkSameSize(_ a: TensorView, _ b: TensorView) throws {
        try require(
            a.batch == b.batch && a.rows == b.rows && a.columns == b.columns,
            "[\(a.batch), \(a.rows), \(a.columns)] and [\(b.batch), \(b.rows), \(b.columns)] differ")
    }
}
