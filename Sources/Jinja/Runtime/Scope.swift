/// Names and values of a block, within those of the block around it.
final class Scope {
    private let parent: Scope?
    private var values: [String: Value] = [:]

    init(parent: Scope?) {
        self.parent = parent
    }

    func lookUp(_ name: String) -> Value? {
        var scope: Scope? = self
        while let current = scope {
            if let value = current.values[name] { return value }
            scope = current.parent
        }
        return nil
    }

    func set(_ name: String, _ value: Value) {
        values[name] = value
    }

    func clear() {
        values = [:]
    }
}
