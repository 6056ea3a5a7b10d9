import Foundation

extension LongBenchTask {
    enum Measure {
        /// Of words, or in Chinese of characters, that answer and reference share.
        case f1, f1Chinese
        case rouge, rougeChinese
        case classification, retrieval, count, code
    }

    var measure: Measure {
        switch self {
        case .narrativeqa, .qasper, .multifieldQAEnglish, .hotpotqa, .twoWikiMQA, .musique, .triviaqa: .f1
        case .multifieldQAChinese: .f1Chinese
        case .govReport, .qmsum, .multiNews, .samsum: .rouge
        case .dureader, .vcsum: .rougeChinese
        case .trec, .lsht: .classification
        case .passageRetrievalEnglish, .passageRetrievalChinese: .retrieval
        case .passageCount: .count
        case .lcc, .repobench: .code
        }
    }

    /// How good an answer is, 0 to 1: LongBench's measure of its task (`eval.py` and `metrics.py` there).
    ///
    /// Chinese words are single characters here, where LongBench asks a dictionary (jieba).
    static func score(_ answer: String, _ reference: Reference) -> Double {
        // As the paper's implementation records answers.
        let answer = answer.trimmingCharacters(in: CharacterSet(charactersIn: "\n"))
        let task = reference.task
        let isFirstLine = [.trec, .triviaqa, .samsum, .lsht].contains(task)
        let line = String(PythonText.lines(answer).first { !$0.isEmpty } ?? [])
        let measured = isFirstLine ? line : answer
        return reference.answers.map { task.score(measured, $0, reference.classes) }.max() ?? 0
    }

    private func score(_ answer: String, _ truth: String, _ classes: [String]) -> Double {
        switch measure {
        case .f1: return Self.f1(PythonText.words(Self.normalized(answer)), PythonText.words(Self.normalized(truth)))
        case .f1Chinese: return Self.f1(Self.characters(answer), Self.characters(truth))
        case .rouge: return RougeL.score(Array(answer.unicodeScalars), Array(truth.unicodeScalars))
        case .rougeChinese: return RougeL.score(Self.spaced(answer), Self.spaced(truth))
        case .classification: return Self.classification(answer, truth, classes)
        case .retrieval:
            let mark = self == .passageRetrievalEnglish ? "Paragraph " : "段落"
            guard let place = truth.range(of: mark + #"\d"#, options: .regularExpression) else { return 0 }
            let number = PythonText.numbers(Substring(truth[place].dropFirst(mark.count) + truth[place.upperBound...]))
            return number.first.map { Self.share(of: $0, answer) } ?? 0
        case .count: return Self.share(of: truth, answer)
        case .code: return Self.code(answer, truth)
        }
    }

    // MARK: Words

    /// Lower case, without ASCII punctuation and articles.
    private static func normalized(_ text: String) -> [Unicode.Scalar] {
        let letters = text.lowercased().unicodeScalars.filter { !PythonText.isPunctuation($0) }
        var result: [Unicode.Scalar] = []
        var word: [Unicode.Scalar] = []
        func end() {
            let isArticle = ["a", "an", "the"].contains(String(word))
            result += isArticle ? [" "] : word
            word = []
        }
        for letter in letters {
            if PythonText.isWord(letter) {
                word.append(letter)
            } else {
                end()
                result.append(letter)
            }
        }
        end()
        return result
    }

    /// Both the shares of words of each that are in the other, as their harmonic mean.
    private static func f1<Word: Hashable>(_ answer: [Word], _ truth: [Word]) -> Double {
        var left: [Word: Int] = [:]
        for word in truth { left[word, default: 0] += 1 }
        let same = answer.count { word in
            guard let count = left[word], count > 0 else { return false }
            left[word] = count - 1
            return true
        }
        guard same > 0 else { return 0 }
        let precision = Double(same) / Double(answer.count)
        let recall = Double(same) / Double(truth.count)
        return 2 * precision * recall / (precision + recall)
    }

    // MARK: Chinese

    /// Runs of letters and digits of ASCII, and every other character for itself.
    private static func pieces(_ text: String) -> [[Unicode.Scalar]] {
        var pieces: [[Unicode.Scalar]] = []
        var isRun = false
        for scalar in text.unicodeScalars {
            let isASCII = scalar.isASCII && PythonText.isWord(scalar)
            if isASCII, isRun { pieces[pieces.count - 1].append(scalar) } else { pieces.append([scalar]) }
            isRun = isASCII
        }
        return pieces
    }

    private static let chinesePunctuation = Set(
        ("！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏.").unicodeScalars)

    private static func characters(_ text: String) -> [[Unicode.Scalar]] {
        pieces(text.lowercased()).map { piece in
            piece.filter {
                !PythonText.isPunctuation($0) && !chinesePunctuation.contains($0) && !PythonText.isSpace($0)
            }
        }.filter { !$0.isEmpty }
    }

    private static func spaced(_ text: String) -> [Unicode.Scalar] { Array(pieces(text).joined(separator: [" "])) }

    // MARK: Classes, numbers, code

    /// The right class is named, and shares its point with the others that are. (That a name within the right one doesn't count
    /// is decided while the list is walked, which passes over the one behind a name that is dropped.)
    private static func classification(_ answer: String, _ truth: String, _ classes: [String]) -> Double {
        var named = classes.filter { PythonText.contains(answer, $0) }
        var index = 0
        while index < named.count {
            let name = named[index]
            if PythonText.contains(truth, name), !PythonText.equal(name, truth) {
                named.remove(at: named.firstIndex { PythonText.equal($0, name) } ?? index)
            }
            index += 1
        }
        return named.contains { PythonText.equal($0, truth) } ? 1 / Double(named.count) : 0
    }

    /// Of the numbers in an answer, how many are the right one.
    private static func share(of truth: String, _ answer: String) -> Double {
        let numbers = PythonText.numbers(answer[...])
        return numbers.isEmpty ? 0 : Double(numbers.count { PythonText.equal($0, truth) }) / Double(numbers.count)
    }

    /// How alike the first line of code is, in hundredths.
    private static func code(_ answer: String, _ truth: String) -> Double {
        let lines = PythonText.lines(answer).drop(while: \.isEmpty)
        let line = lines.first { line in
            let text = String(line)
            return !text.contains("`") && !text.contains("#") && !text.contains("//")
        }
        return Similarity.hundredths(line ?? [], Array(truth.unicodeScalars)) / 100
    }
}

extension String {
    /// A text of scalars.
    init(_ scalars: [Unicode.Scalar]) {
        self.init(String.UnicodeScalarView(scalars))
    }
}
