/// A projector's state_dict under the names of its own modules, whatever trained it.
public struct ProjectorState: Sendable {
    public let tensors: [String: HostTensor]
    /// See `TorchFile.unread`.
    public let unread: [String: String]

    init(_ file: TorchFile) {
        tensors = Self.unwrapped(file.tensors)
        unread = Self.unwrapped(file.unread)
    }

    /// Names without what PyTorch's wrappers put into them: `module.` of data parallel training, `_orig_mod.` of
    /// `torch.compile`, those of sharded and of checkpointed modules. A name that has none of them wins.
    private static func unwrapped<Value>(_ named: [String: Value]) -> [String: Value] {
        let wrappers: Set<Substring> = ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]
        var result = named
        for (name, value) in named.sorted(by: { $0.key < $1.key }) {
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            let own = parts.filter { !wrappers.contains($0) }.joined(separator: ".")
            if own != name, result[own] == nil { result[own] = value }
        }
        return result
    }
}
