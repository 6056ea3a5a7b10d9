/// The type of one element of a tensor in a backend's memory.
public enum ElementType: String, Sendable, Hashable, CaseIterable, Codable {
    case f32, f16, bf16
    /// Token ids, positions and counters.
    case u32

    /// Bytes one element takes.
    public var byteCount: Int {
        switch self {
        case .f32, .u32: 4
        case .f16, .bf16: 2
        }
    }
}
