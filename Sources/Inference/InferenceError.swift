/// What can be asked of the engine that it can't do. Each is one line: what, where, how to mend it.
public enum InferenceError: Error, CustomStringConvertible {
    /// A weight that a model or fuser needs was not loaded.
    case missingWeight(String)
    /// A fuser, a sharer and a receiver that don't belong together.
    case mismatch(String)
    /// A request outside what models or caches hold.
    case badRequest(String)
    /// A graph that can't be compiled.
    case badGraph(String)
    /// Logits that are infinite or NaN, from which no token can be chosen: where numbers end, and what would help.
    case notFinite(String)

    public var description: String {
        switch self {
        case .missingWeight(let what): "missing weight: \(what)"
        case .mismatch(let what), .badRequest(let what), .badGraph(let what), .notFinite(let what): what
        }
    }
}
