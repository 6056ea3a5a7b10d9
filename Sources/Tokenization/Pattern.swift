import CPCRE2
import Foundation

/// A compiled regular expression (PCRE2, UTF-8, Unicode classes, JIT where the machine allows it).
///
/// Immutable after `init`, so one pattern serves all threads; what changes while matching lives in `PatternMatcher`.
final class Pattern: @unchecked Sendable {
    let source: String
    private let code: OpaquePointer
    private let isCompiledToMachineCode: Bool

    /// Longer than any pattern published, in bytes.
    private static let sourceLimit = 64 << 10

    /// - Parameter regex: written as tokenizer files write it, in Oniguruma's syntax.
    /// - Throws: `TokenizationError.invalidPattern` with PCRE2's message and position, or with the construct that
    ///   means one thing to Oniguruma and another to PCRE2.
    convenience init(regex: String) throws {
        let translated = try OnigurumaSyntax.translate(regex)
        try self.init(translated, source: regex, options: PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C)
    }

    /// Matches `literal` itself.
    convenience init(literal: String) throws {
        try self.init(literal, source: literal, options: PCRE2_LITERAL)
    }

    private init(_ text: String, source: String, options: UInt32) throws {
        guard text.utf8.count <= Self.sourceLimit else {
            throw TokenizationError.invalidPattern(
                pattern: source, reason: "longer than \(Self.sourceLimit) bytes", offset: Self.sourceLimit)
        }
        var error: Int32 = 0
        var offset = 0
        let code = Array(text.utf8).withUnsafeBufferPointer {
            pcre2_compile_8(
                $0.baseAddress, $0.count, options | PCRE2_UTF | PCRE2_USE_OFFSET_LIMIT, &error, &offset, nil)
        }
        guard let code else {
            throw TokenizationError.invalidPattern(pattern: source, reason: pcreMessage(error), offset: offset)
        }
        self.source = source
        self.code = code
        isCompiledToMachineCode = pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE) == 0
    }

    deinit { pcre2_code_free_8(code) }

    /// Calls `body` with the byte range of each match in `subject`, from left to right, without overlaps. An empty
    /// match right after another match is passed over, so the search always advances.
    ///
    /// - Parameter subject: valid UTF-8; what lies outside it is invisible to the pattern.
    /// - Throws: `TokenizationError.patternTooExpensive` when the matcher's budget is spent.
    func forEachMatch(
        in subject: UnsafeBufferPointer<UInt8>, matcher: PatternMatcher, _ body: (Range<Int>) -> Void
    ) throws {
        var searchStart = 0
        var previousEnd = -1
        while searchStart <= subject.count {
            // A limit on where the match may start bounds the work of one call; sparse patterns take several calls.
            var window = min(searchStart + PatternMatcher.window, subject.count)
            while window < subject.count && subject[window] & 0xC0 == 0x80 { window += 1 }
            guard let match = try firstMatch(in: subject, from: searchStart, startingBy: window, matcher) else {
                searchStart = window + 1
                while searchStart < subject.count && subject[searchStart] & 0xC0 == 0x80 { searchStart += 1 }
                continue
            }
            if match.isEmpty && match.upperBound == previousEnd {
                searchStart = match.upperBound + 1
                while searchStart < subject.count && subject[searchStart] & 0xC0 == 0x80 { searchStart += 1 }
                continue
            }
            // \K can put a match's start before the end of the one before.
            body(max(match.lowerBound, max(previousEnd, 0))..<match.upperBound)
            previousEnd = match.upperBound
            searchStart = match.upperBound
        }
    }

    private func firstMatch(
        in subject: UnsafeBufferPointer<UInt8>, from start: Int, startingBy limit: Int, _ matcher: PatternMatcher
    ) throws -> Range<Int>? {
        try matcher.checkBudget(self)
        pcre2_set_offset_limit_8(matcher.context, limit)
        // A nil base address with length 0 is refused by PCRE2.
        guard let base = subject.baseAddress else { return nil }
        var result = PCRE2_ERROR_JIT_STACKLIMIT
        if isCompiledToMachineCode {
            result = pcre2_jit_match_8(
                code, base, subject.count, start, PCRE2_NO_UTF_CHECK, matcher.data, matcher.context)
        }
        if result == PCRE2_ERROR_JIT_STACKLIMIT {
            result = pcre2_match_8(
                code, base, subject.count, start, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, matcher.data, matcher.context)
        }
        if result == PCRE2_ERROR_NOMATCH { return nil }
        guard result >= 0 else {
            throw TokenizationError.patternTooExpensive(pattern: source, reason: pcreMessage(result))
        }
        let offsets = matcher.offsets
        guard offsets[0] <= offsets[1], offsets[1] >= start, offsets[1] <= subject.count else {
            throw TokenizationError.patternTooExpensive(pattern: source, reason: "match ends before it starts")
        }
        return Int(offsets[0])..<Int(offsets[1])
    }
}

/// PCRE2's working memory and the budget of one encoding. Not thread-safe.
final class PatternMatcher {
    fileprivate let data: OpaquePointer
    fileprivate let context: OpaquePointer
    fileprivate var offsets: UnsafeMutablePointer<Int> { pcre2_get_ovector_pointer_8(data) }

    private var deadline: UInt64 = .max
    private var callsUntilCheck = 0

    /// How many bytes further on one search may begin a match.
    fileprivate static let window = 16
    private static let callsBetweenChecks = 64

    init() {
        // PCRE2 answers nil only when memory is gone, where Swift's own allocations end the process as well.
        data = pcre2_match_data_create_8(1, nil)
        context = pcre2_match_context_create_8(nil)
        pcre2_set_heap_limit_8(context, 64 << 10)  // KiB
    }

    deinit {
        pcre2_match_data_free_8(data)
        pcre2_match_context_free_8(context)
    }

    /// Starts a new budget for a text of `bytes`: some fifty times what published patterns need. It is counted in
    /// this thread's CPU time, so that a busy machine does not make a good text fail.
    func beginText(bytes: Int) {
        // Backtracking over a long run (of white space, say) is legitimate and takes a few steps for each byte.
        pcre2_set_match_limit_8(context, UInt32(clamping: 1_000_000 + 4 * bytes))
        pcre2_set_depth_limit_8(context, UInt32(clamping: 1_000_000 + 4 * bytes))
        deadline = Self.threadNanoseconds() + 2_000_000_000 + UInt64(bytes) * 5_000
        callsUntilCheck = Self.callsBetweenChecks
    }

    fileprivate func checkBudget(_ pattern: Pattern) throws {
        callsUntilCheck -= 1
        guard callsUntilCheck <= 0 else { return }
        callsUntilCheck = Self.callsBetweenChecks
        if Self.threadNanoseconds() > deadline {
            throw TokenizationError.patternTooExpensive(pattern: pattern.source, reason: "time limit exceeded")
        }
    }

    private static func threadNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

private func pcreMessage(_ code: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = buffer.withUnsafeMutableBufferPointer { pcre2_get_error_message_8(code, $0.baseAddress, $0.count) }
    return String(decoding: buffer.prefix(max(0, Int(length))), as: UTF8.self)
}
