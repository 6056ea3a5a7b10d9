/// What a row of a receiver's cache depends on besides the tokens.
struct RowCondition: Hashable {
    /// Of the section that the row was fused in; nil in the last one, and of new tokens.
    var sharerMask: Int?
    /// The rows that it didn't see.
    var hiddenRows: Range<Int>?

    /// Whether a row read like this can stay where it is wanted otherwise. A row of the last section wasn't fused because it was
    /// the last, not by choice: it stays as it is when the conversation goes on.
    func holds(_ wanted: RowCondition) -> Bool {
        hiddenRows == wanted.hiddenRows && (sharerMask == nil || sharerMask == wanted.sharerMask)
    }
}

extension Prompt {
    /// By row.
    var conditions: [RowCondition] {
        sections.enumerated().flatMap { index, section in
            let isLast = index == sections.count - 1
            let condition = RowCondition(
                sharerMask: isLast ? nil : section.sharerMask, hiddenRows: isLast ? hiddenRows : nil)
            return Array(repeating: condition, count: section.length)
        }
    }
}
