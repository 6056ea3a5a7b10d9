/// What one model is to read of some sequences.
struct ModelReadings {
    var decoder: Decoder
    var readings: [Reading]

    /// Rows that are still to be read.
    var left: Int { readings.reduce(0) { $0 + $1.left } }
}

extension Session {
    /// Lets several models read side by side, in one run.
    ///
    /// - Returns: false, and nothing is done, where only one has something to read, or one's rows are more than a chunk.
    func readTogether(_ models: [ModelReadings]) throws -> Bool {
        let models = models.filter { $0.left > 0 }
        let fits = models.allSatisfy { $0.left <= plans.chunk(for: $0.decoder, allLogits: false) }
        guard models.count > 1, fits else { return false }
        var inputs: [PlanInput] = []
        var readers: [(decoder: Decoder, rows: [SequenceRows])] = []
        for (index, model) in models.enumerated() {
            try flagRows(model.readings, .jointPrefill)
            let parts = model.readings.filter { $0.left > 0 }.map { ($0, $0.cache.count..<$0.end) }
            let (ids, rows, given) = prepare(parts)
            inputs += given + [PlanInput(try plans.ids(ofReader: index), ids)]
            readers.append((model.decoder, rows))
        }
        let plan = try plans.joint(readers)
        let execution = try backend.execute(plan, inputs: inputs, phase: .jointPrefill)
        let rows = models.reduce(0) { $0 + $1.left }
        for reading in models.flatMap(\.readings) where reading.left > 0 {
            reading.cache.append(reading.tokens, reading.cache.count..<reading.end)
        }
        try watch?.add(execution, rows: rows, on: backend)
        return true
    }
}
