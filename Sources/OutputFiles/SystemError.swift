import Foundation

/// A call of the system that failed.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    /// As in `errno`.
    public var code: CInt

    public init(_ code: CInt) {
        self.code = code
    }

    /// The system's own words, such as `No space left on device`.
    public var description: String { String(cString: strerror(code)) }
}

/// Bytes to and from a descriptor, of a file, a terminal or a pipe.
public enum Descriptor {
    /// Writes everything, however the other end takes it.
    ///
    /// - Throws: what the system says when it takes no more.
    public static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else {
                try wait(after: errno, for: POLLOUT, descriptor)
            }
        }
    }

    /// Reads what there is, at most `limit` bytes; nothing at the end.
    ///
    /// - Throws: what the system says when it gives nothing. `EINTR` is thrown only if asked for, for who waits for signals.
    public static func read(
        _ descriptor: CInt, limit: Int = 1 << 16, endsBySignal: Bool = false
    ) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        while true {
            let count = Foundation.read(descriptor, &bytes, limit)
            if count >= 0 { return Array(bytes[..<count]) }
            if errno == EINTR, endsBySignal { throw SystemError(EINTR) }
            try wait(after: errno, for: POLLIN, descriptor)
        }
    }

    /// Waits where a call is worth trying again: after a signal at once, and where another program has made a terminal or a pipe
    /// that it shares with this one non-blocking, when that is ready.
    private static func wait(after code: CInt, for event: CInt, _ descriptor: CInt) throws(SystemError) {
        switch code {
        case EINTR: break
        case EAGAIN:
            var place = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            _ = poll(&place, 1, -1)
        default: throw SystemError(code)
        }
    }
}
