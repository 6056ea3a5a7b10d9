import Synchronization

/// How many of the kernels that were asked for so far are ready to run. Thread-safe.
final class KernelProgress: Sendable {
    typealias Observer = @Sendable (_ ready: Int, _ wanted: Int) -> Void

    private struct State {
        var ready = 0
        var wanted = 0
        var observer: Observer?
    }

    private let state = Mutex(State())

    var observer: Observer? {
        get { state.withLock { $0.observer } }
        set { state.withLock { $0.observer = newValue } }
    }

    func want(_ count: Int) { change { $0.wanted += count } }

    func finish(_ count: Int = 1) { change { $0.ready += count } }

    private func change(_ change: (inout State) -> Void) {
        // Under the lock, so that what is told never goes back.
        state.withLock { state in
            change(&state)
            state.observer?(state.ready, state.wanted)
        }
    }
}
