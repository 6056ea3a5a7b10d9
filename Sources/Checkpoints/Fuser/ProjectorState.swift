import JSON

/// A projector's state_dict under the names of its own modules, whatever trained it.
public struct ProjectorState: Sendable {
    package let tensors: [ExactText: HostTensor]
    /// See `TorchFile.unread`.
    package let unread: [ExactText: String]

    init(_ file: TorchFile) {
        tensors = Self.unwrapped(file.tensors)
        unread = Self.unwrapped(file.unread)
    }

    /// The tensor of that name, byte by byte; nil if there is none that is read.
    public func tensor(_ name: String) -> HostTensor? { tensors[ExactText(name)] }

    /// What stands under that name and is no tensor that is read, as "a quantized tensor"; nil if nothing does.
    public func whatIsUnread(_ name: String) -> String? {
        tensor(name) == nil ? unread[ExactText(name)] : nil
    }

    /// Names without what PyTorch's wrappers put into them: `module.` of data parallel training, `_orig_mod.` of
    /// `torch.compile`, those of sharded and of checkpointed modules. A name that has none of them wins.
    private static func unwrapped<Value>(_ named: [ExactText: Value]) -> [ExactText: Value] {
        let wrappers: Set<Substring> = ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]
        var result = named
        for (name, value) in named.sorted(by: { $0.key.text < $1.key.text }) {
            let parts = name.text.split(separator: ".", omittingEmptySubsequences: false)
            let own = ExactText(parts.filter { !wrappers.contains($0) }.joined(separator: "."))
            if own != name, result[own] == nil { result[own] = value }
        }
        return result
    }
}
