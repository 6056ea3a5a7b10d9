/// What one model is to read of one sequence.
struct Reading {
    var sequence: SequenceState
    var tokens: TokenSequence
    var cache: KVCache
    /// One past the last row; the first is the one that the cache lacks.
    var end: Int
    var hiddenRows: Range<Int>?

    /// Rows that are still to be read.
    var left: Int { max(0, end - cache.count) }

    /// Of the rows that aren't seen, hidden or padding, as `FlagRows` takes them.
    var flaggedBounds: [UInt32] {
        guard hiddenRows != nil || !tokens.padding.isEmpty else { return [] }
        var bounds: [UInt32] = []
        for row in tokens.padding.union(hiddenRows ?? 0..<0).sorted() {
            // A row next to the last one moves its end.
            if bounds.last == UInt32(row) { bounds.removeLast() } else { bounds.append(UInt32(row)) }
            bounds.append(UInt32(row + 1))
        }
        return bounds
    }
}

extension Session {
    /// Reads a section of each of some sequences that is not their last: sharers, receiver, and then the fusion.
    func readSection(
        _ sections: [(index: Int, prompt: Prompt, section: Section)], onLogits: ((Int, [Float]) throws -> Void)?
    ) throws {
        let starts = sections.map { sequences[$0.index].receiverCache.count }
        var isFused = false
        defer {
            // Rows that were read and not fused must not be taken for fused ones by the next prompt.
            if !isFused {
                for (part, start) in zip(sections, starts) where part.section.sharerMask > 0 {
                    sequences[part.index].receiverCache.truncate(to: start)
                }
            }
        }
        func readings(
            _ cache: (SequenceState) -> KVCache?, _ tokens: (Prompt) -> TokenSequence
        ) -> [Reading] {
            zip(sections, starts).compactMap { part, start in
                let sequence = sequences[part.index]
                return cache(sequence).map {
                    Reading(
                        sequence: sequence, tokens: tokens(part.prompt), cache: $0, end: start + part.section.length)
                }
            }
        }
        let ofSharers = sharers.enumerated().map { index, sharer in
            ModelReadings(
                decoder: sharer.decoder,
                readings: readings({ $0.sharerCaches[index] }, { $0.sequence(ofSharer: index) }))
        }
        let ofReceiver = ModelReadings(decoder: receiver, readings: readings({ $0.receiverCache }, \.receiver))
        let areRead = overlapsPrefill && onLogits == nil ? try readTogether(ofSharers + [ofReceiver]) : false
        if !areRead {
            for sharer in ofSharers { try read(sharer.readings, sharer.decoder, .sharerPrefill) }
            try read(ofReceiver.readings, receiver, .receiverPrefill, onLogits: onLogits)
        }
        let masks = Set(sections.map(\.section.sharerMask)).filter { $0 > 0 }
        for mask in masks.sorted() {
            let rows = zip(sections, starts).filter { $0.0.section.sharerMask == mask }
                .map { part, start in (sequences[part.index], start..<start + part.section.length) }
            try fuse(rows, mask: mask)
        }
        isFused = true
    }

    /// Prefills the tokens that caches lack, all sequences together.
    ///
    /// - Parameter seeds: by sequence; given where the last rows choose each sequence's first new token.
    func read(
        _ readings: [Reading], _ decoder: Decoder, _ phase: Phase, choosingWith seeds: [UInt64]? = nil,
        onLogits: ((Int, [Float]) throws -> Void)? = nil
    ) throws {
        let chunk = plans.chunk(for: decoder, allLogits: onLogits != nil)
        try flagRows(readings, phase)
        while true {
            let left = readings.map(\.left)
            let total = left.reduce(0, +)
            guard total > 0 else { return }
            // The rows that choose tokens run together, so one of each sequence is left for the end.
            let isEnd = total <= chunk || seeds != nil && total == readings.count
            var room = isEnd ? total : chunk
            let counts = left.map { rows in
                let count = min(room, isEnd || seeds == nil ? rows : rows - 1)
                room -= count
                return count
            }
            let parts = zip(readings, counts).filter { $0.1 > 0 }.map { reading, count in
                (reading, reading.cache.count..<reading.cache.count + count)
            }
            try read(parts, decoder, phase, choosingWith: isEnd ? seeds : nil, onLogits: onLogits)
        }
    }

    /// Prefills ranges of rows as one run.
    private func read(
        _ parts: [(reading: Reading, range: Range<Int>)], _ decoder: Decoder, _ phase: Phase,
        choosingWith seeds: [UInt64]?, onLogits: ((Int, [Float]) throws -> Void)?
    ) throws {
        let (ids, rows, given) = prepare(parts)
        var inputs = given + [PlanInput(plans.ids, ids)]
        let choosing = seeds == nil ? [] : parts.map(\.reading.sequence)
        if let seeds {
            inputs += try plans.prepareChoice(parts.map { ($0.reading.sequence, $0.reading.tokens) }, seeds, decoder)
        }
        let plan = try plans.prefill(rows, choosing: choosing, allLogits: onLogits != nil, decoder)
        let execution = try backend.execute(plan, inputs: inputs, phase: phase)
        for (reading, range) in parts { reading.cache.append(reading.tokens, range) }
        if let onLogits {
            let columns = decoder.description.vocabularySize
            let logits = try backend.read(try plans.logits(rows: ids.count, decoder))
            for (part, range) in zip(parts, parts.map(\.range.count).stackedRanges) {
                try onLogits(
                    part.reading.sequence.index,
                    Array(logits[range.lowerBound * columns..<range.upperBound * columns]))
            }
        }
        if seeds != nil { steps = [Step(execution: execution, sequences: choosing.map(\.index))] }
        try watch?.add(execution, rows: ids.count, on: backend)
    }

    /// Lets the caches flag the rows that readings leave out. Those of rows to come are flagged too: no token sees them before
    /// they are read, and decoding goes on with the flags of hidden rows.
    func flagRows(_ readings: [Reading], _ phase: Phase) throws {
        for reading in readings where reading.left > 0 {
            let bounds = reading.flaggedBounds
            guard !bounds.isEmpty, bounds != reading.cache.flaggedBounds else { continue }
            try backend.execute(try plans.flags(reading.cache), inputs: [plans.listed(bounds)], phase: phase)
            reading.cache.flaggedBounds = bounds
        }
    }

    /// What a run is given to read ranges of rows: their ids, their places in caches, and the inputs that say so on the device.
    func prepare(
        _ parts: [(reading: Reading, range: Range<Int>)]
    ) -> (ids: [UInt32], rows: [SequenceRows], inputs: [PlanInput]) {
        var ids: [UInt32] = []
        var inputs: [PlanInput] = []
        var rows: [SequenceRows] = []
        for (reading, range) in parts {
            let (tokens, cache) = (reading.tokens, reading.cache)
            ids += tokens.ids[range].map { UInt32($0) }
            inputs.append(PlanInput(cache.position, [UInt32(range.lowerBound)]))
            let hidesPadding =
                reading.hiddenRows != nil || tokens.padding.contains { $0 < range.upperBound }
            let rotations = cache.callRotations?.input(range, end: reading.end)
            if let rotations { inputs.append(rotations) }
            rows.append(
                SequenceRows(
                    cache: cache, tokens: range.count, hidesPadding: hidesPadding, hasCallRotations: rotations != nil))
        }
        return (ids, rows, inputs)
    }

    /// Fuses rows of sequences together, each with the sharers that a mask names.
    private func fuse(_ rows: [(sequence: SequenceState, range: Range<Int>)], mask: Int) throws {
        let projecting = projectingSharers(mask: mask)
        guard !projecting.isEmpty else { return }
        let chunk = plans.fusionChunk(projecting.map { sharers[$0].fuser })
        var left = rows[...]
        while !left.isEmpty {
            var room = chunk
            var parts: [(sequence: SequenceState, range: Range<Int>)] = []
            while room > 0, var next = left.first {
                let count = min(room, next.range.count)
                let end = next.range.lowerBound + count
                parts.append((next.sequence, next.range.lowerBound..<end))
                room -= count
                next.range = end..<next.range.upperBound
                left[left.startIndex] = next
                if next.range.isEmpty { left.removeFirst() }
            }
            let plan = try plans.fusion(
                parts.map { ($0.sequence, $0.range.count) }, receiver: receiver, projecting, sharers, mode: fusionMode)
            let inputs = parts.map { PlanInput($0.sequence.fusionStart, [UInt32($0.range.lowerBound)]) }
            try backend.execute(plan, inputs: inputs, phase: .fusion)
        }
    }

    /// The sharers a mask names, by index, where they have something to project.
    func projectingSharers(mask: Int) -> [Int] {
        sharers.indices.filter { index in
            mask & (1 << index) != 0 && sequences[0].sharerCaches[index] != nil
                && !sharers[index].fuser.description.open.isEmpty
        }
    }
}
