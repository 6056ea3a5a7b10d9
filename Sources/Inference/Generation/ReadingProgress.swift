/// How far prompts were read.
public struct ReadingProgress: Sendable, Equatable {
    /// Rows that have been read: of all prompts, and by each model that reads them.
    public var rows: Int
    /// Rows that there are to read.
    public var total: Int
}

/// Tells somebody how far prompts were read, and lets him end it.
///
/// It is told a run behind the device: while one is awaited the next is on its way, so that the device never waits for the host.
struct ReadingWatch {
    private var progress: ReadingProgress
    private let tell: (ReadingProgress) throws -> Void
    private var running: (execution: Execution, rows: Int)?

    /// - Parameter tell: what it throws ends the reading.
    init(total: Int, _ tell: @escaping (ReadingProgress) throws -> Void) throws {
        progress = ReadingProgress(rows: 0, total: total)
        self.tell = tell
        try tell(progress)
    }

    /// Takes note of a run that was handed over.
    mutating func add(_ execution: Execution, rows: Int, on backend: any Backend) throws {
        let ended = running
        running = (execution, rows)
        guard let ended else { return }
        try backend.wait(ended.execution)
        progress.rows = min(progress.total, progress.rows + ended.rows)
        try tell(progress)
    }
}
