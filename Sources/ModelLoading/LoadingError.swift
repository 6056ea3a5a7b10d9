/// Why a model or a fuser that can be read can't be used. One line: what, where, how to mend it.
public enum LoadingError: Error, CustomStringConvertible {
    /// An architecture, a projector class or an option that this engine does not compute.
    case unsupported(String)
    /// A tensor whose shape is not the one that the configuration asks for.
    case shape(String)

    public var description: String {
        switch self {
        case .unsupported(let what), .shape(let what): what
        }
    }
}
