/// ROUGE-L of whole summaries (Lin, 2004), as the Python package rouge 1.0 computes it: over sets of words, so that a word counts
/// once.
enum RougeL {
    private typealias Word = [Unicode.Scalar]

    /// - Returns: the F measure, 0 where either text has no sentence.
    static func score(_ answer: [Unicode.Scalar], _ reference: [Unicode.Scalar]) -> Double {
        let (answer, reference) = (sentences(answer), sentences(reference))
        guard !answer.isEmpty, !reference.isEmpty else { return 0 }
        var union: Set<Word> = []
        for sentence in reference {
            for other in answer { union.formUnion(longestCommon(sentence, other)) }
        }
        let recall = Double(union.count) / Double(Set(reference.joined()).count)
        let precision = Double(union.count) / Double(Set(answer.joined()).count)
        return 2 * (precision * recall / (precision + recall + 1e-8))
    }

    /// Full stops end sentences. One of white space has a single, empty word.
    private static func sentences(_ text: [Unicode.Scalar]) -> [[Word]] {
        text.split(separator: ".").map { sentence in
            let words = PythonText.words(Array(sentence))
            return words.isEmpty ? [[]] : words
        }
    }

    /// The words of one longest common subsequence; of several, the one that is found from the end, going back in `other` first.
    private static func longestCommon(_ words: [Word], _ other: [Word]) -> [Word] {
        let width = other.count + 1
        var lengths = [Int32](repeating: 0, count: (words.count + 1) * width)
        for (row, word) in words.enumerated() {
            for (column, candidate) in other.enumerated() {
                let here = (row + 1) * width + column + 1
                lengths[here] =
                    word == candidate ? lengths[here - width - 1] + 1 : max(lengths[here - width], lengths[here - 1])
            }
        }
        var (row, column, common) = (words.count, other.count, [Word]())
        while row > 0, column > 0 {
            if words[row - 1] == other[column - 1] {
                common.append(words[row - 1])
                (row, column) = (row - 1, column - 1)
            } else if lengths[(row - 1) * width + column] > lengths[row * width + column - 1] {
                row -= 1
            } else {
                column -= 1
            }
        }
        return common
    }
}
