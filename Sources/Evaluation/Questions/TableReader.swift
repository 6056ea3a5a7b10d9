import JSON

/// Reads tables of text (RFC 4180): a line of names, then lines of fields, which may stand in quotes, with doubled quotes and
/// line breaks in them. Fields are separated by commas, semicolons or tabs.
struct TableReader {
    /// Fields that hold lists.
    private static let lists: Set<String> = ["choices", "options", "answers", "all_classes"]

    private struct Row {
        var line: Int
        var fields: [String]
    }

    /// - Throws: `EvaluationError`.
    static func records(_ text: String, _ file: String) throws -> [QuestionRecord] {
        let rows = try rows(text, file, separator(of: text))
        guard let header = rows.first else { return [] }
        let names = header.fields.map { name in
            String(name.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }
        if let twice = names.first(where: { name in !name.isEmpty && names.count { $0 == name } > 1 }) {
            throw EvaluationError(
                file, line: header.line, "names \"\(twice)\" twice; give each column a name of its own")
        }
        if rows.count > 1, !names.contains(where: JSONObject.questionNames.contains) {
            throw EvaluationError(
                file, line: header.line,
                "the first line of a table names its columns, and none here is \"question\"; is the line missing?")
        }
        return try rows.dropFirst().map { row in
            guard row.fields.count == names.count else {
                throw EvaluationError(
                    file, line: row.line, "has \(row.fields.count) fields, the first line \(names.count)")
            }
            var fields: JSONObject = [:]
            for (name, value) in zip(names, row.fields) {
                fields[name] = (lists.contains(name) ? CellLiteral.value(of: value) : nil) ?? .string(value)
            }
            return QuestionRecord(fields: fields, number: row.line)
        }
    }

    /// The one that the first line has most of.
    private static func separator(of text: String) -> Unicode.Scalar {
        var counts: [Unicode.Scalar: Int] = [",": 0, ";": 0, "\t": 0]
        var isQuoted = false
        for scalar in text.unicodeScalars.drop(while: \.properties.isWhitespace) {
            if scalar == "\"" { isQuoted.toggle() }
            if isQuoted { continue }
            if scalar == "\n" || scalar == "\r" { break }
            counts[scalar]? += 1
        }
        // Ties go to the comma.
        return counts.max { ($0.value, $0.key == "," ? 1 : 0) < ($1.value, $1.key == "," ? 1 : 0) }?.key ?? ","
    }

    private static func rows(_ text: String, _ file: String, _ separator: Unicode.Scalar) throws -> [Row] {
        var rows: [Row] = []
        var (fields, field) = ([String](), String.UnicodeScalarView())
        var (line, start, isQuoted, wasQuoted) = (1, 1, false, false)
        var scalars = text.unicodeScalars.makeIterator()
        var pending = scalars.next()
        func endField() {
            fields.append(String(field))
            field = String.UnicodeScalarView()
            wasQuoted = false
        }
        func endRow() {
            endField()
            if fields != [""] { rows.append(Row(line: start, fields: fields)) }
            fields = []
        }
        while let scalar = pending {
            pending = scalars.next()
            // A line ends after \n, \r\n, or \r alone.
            let endsLine = scalar == "\n" || scalar == "\r" && pending != "\n"
            if endsLine { line += 1 }
            switch scalar {
            case "\"" where isQuoted && pending == "\"":
                field.append("\"")
                pending = scalars.next()
            case "\"" where isQuoted: isQuoted = false
            case "\"" where field.isEmpty && !wasQuoted: (isQuoted, wasQuoted) = (true, true)
            case _ where isQuoted: field.append(scalar)
            case separator: endField()
            case _ where endsLine:
                endRow()
                start = line
            case "\r": break
            default: field.append(scalar)
            }
        }
        guard !isQuoted else { throw EvaluationError(file, line: start, "a quote is not closed") }
        endRow()
        return rows
    }
}
