import Dispatch
import Foundation
import Synchronization

/// How fast a machine's own processors read and copy memory, by the C library's loops, which are made for them. Where the device is
/// the CPU, this is what its memory allows, whatever the driver's compiler makes of a kernel.
struct HostMemoryRates {
    /// Bytes read per second.
    private(set) var read = 0.0
    /// Bytes read and written per second, counted both.
    private(set) var copy = 0.0

    /// The best of several runs, by one thread and by as many as there are processors.
    ///
    /// - Parameters:
    ///   - source: zeros.
    ///   - target: is overwritten.
    ///   - byteCount: of each; both together should exceed the processor's caches.
    init(source: UnsafeMutableRawPointer, target: UnsafeMutableRawPointer, byteCount: Int) {
        // What is read must matter, or the compiler leaves the reading out.
        let found = Mutex(0)
        // Pointers as numbers: what threads are given can be checked for sharing then.
        let (sourceAddress, targetAddress) = (Int(bitPattern: source), Int(bitPattern: target))
        for threads in Set([1, ProcessInfo.processInfo.activeProcessorCount]) {
            let part = byteCount / threads / 64 * 64
            let readSeconds = Self.best(threads) { thread in
                for address in [sourceAddress, targetAddress] {
                    // There is no such byte, so it looks at all.
                    if let start = UnsafeRawPointer(bitPattern: address + thread * part),
                        memchr(start, 0xA5, part) != nil
                    {
                        found.withLock { $0 += 1 }
                    }
                }
            }
            let copySeconds = Self.best(threads) { thread in
                guard let from = UnsafeRawPointer(bitPattern: sourceAddress + thread * part),
                    let to = UnsafeMutableRawPointer(bitPattern: targetAddress + thread * part)
                else { return }
                memcpy(to, from, part)
            }
            let moved = Double(2 * part * threads)
            read = max(read, moved / readSeconds)
            copy = max(copy, moved / copySeconds)
        }
    }

    private static func best(_ threads: Int, _ body: @Sendable (_ thread: Int) -> Void) -> Double {
        let clock = ContinuousClock()
        return (0..<5).map { _ in
            let start = clock.now
            DispatchQueue.concurrentPerform(iterations: threads, execute: body)
            return (clock.now - start).seconds
        }.min() ?? .infinity
    }
}
