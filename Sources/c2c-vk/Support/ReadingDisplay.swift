import Inference

/// Shows how far a prompt was read, until the answer begins.
final class ReadingDisplay {
    private var bar: ProgressBar?
    private var rows = 0

    func update(_ progress: ReadingProgress) {
        if bar == nil {
            rows = 0
            bar = ProgressBar(total: progress.total) {
                Interrupt.isPending ? "stopping (Ctrl-C again ends all)" : "reading the prompt"
            }
        }
        bar?.add(progress.rows - rows)
        rows = progress.rows
    }

    func finish() {
        bar?.finish()
        bar = nil
    }
}
