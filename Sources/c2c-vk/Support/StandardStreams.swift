import Foundation
import OutputFiles

/// Standard output and standard error, whatever becomes of them while the program runs.
enum StandardStreams {
    /// Whether who started this program wants it to end where nobody reads its output any more, as is usual.
    nonisolated(unsafe) private static var endsByBrokenPipe = true

    /// To be called first of all.
    ///
    /// Where one of the three streams is closed, the next file to be opened would take its place, and be written to as if it
    /// were the stream. So something takes the place at once that can't be used, as a closed one can't.
    /// Pipes that nobody reads become errors, as only on standard output they are a reason to end.
    static func prepare() {
        for (descriptor, flags) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            // The lowest free descriptor, which this one is.
            _ = open("/dev/null", flags)
        }
        var previous = sigaction()
        sigaction(SIGPIPE, nil, &previous)
        endsByBrokenPipe = unsafeBitCast(previous.__sigaction_handler.sa_handler, to: Int.self) == 0
        signal(SIGPIPE, SIG_IGN)
        // A file that would grow beyond what the shell's ulimit allows is an error like a full disk.
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Writes to standard output, at once.
    ///
    /// Where the reader of a pipe has gone, as `head` goes, the program ends by SIGPIPE without a word, as programs do; only
    /// who has asked for an error instead, by ignoring that signal, gets one.
    ///
    /// - Throws: `UsageError`.
    static func write(_ text: String) throws {
        var text = text
        do {
            try text.withUTF8 { bytes in try Descriptor.write(UnsafeRawBufferPointer(bytes), to: STDOUT_FILENO) }
        } catch let error as SystemError {
            if error.code == EPIPE, endsByBrokenPipe {
                signal(SIGPIPE, SIG_DFL)
                raise(SIGPIPE)
            }
            throw OutputError(reason: error.description)
        }
    }

    /// Writes to standard error, at once; where that can't be written, there is nowhere to say so.
    static func remark(_ text: String) {
        var text = text
        text.withUTF8 { bytes in try? Descriptor.write(UnsafeRawBufferPointer(bytes), to: STDERR_FILENO) }
    }
}

/// Standard output takes no more.
struct OutputError: Error, CustomStringConvertible {
    var reason: String

    var description: String { "standard output can't be written: \(reason); send it elsewhere, such as into a file" }
}
