/// One projector of a fuser: its class and arguments, and on demand its state_dict.
public struct ProjectorFile: Sendable {
    /// Largest width or number of heads that is accepted.
    private static let maximumSize = 1_000_000

    public let index: Int
    /// As `C2CProjector` or `AllInOneProjector`.
    public let className: String
    /// Width of one head of the sharer's KV-cache.
    public let sourceDim: Int
    /// Width of one head of the receiver's KV-cache.
    public let targetDim: Int
    /// KV heads of the sharer.
    public let sourceHeads: Int
    /// KV heads of the receiver.
    public let targetHeads: Int
    public let hiddenDim: Int
    /// Nil for a class that has none.
    public let intermediateDim: Int?
    public let layers: Int
    /// The type it was trained in; nil if the file does not say.
    public let dtype: TensorType?
    /// All arguments of the class, the ones above among them.
    public let arguments: ConfigObject
    /// Path of the state_dict.
    public let path: String

    /// Reads `projector_<index>.json` and makes sure that `projector_<index>.pt` exists.
    init(index: Int, directory: String) throws {
        let description = join(directory, "projector_\(index).json")
        path = join(directory, "projector_\(index).pt")
        for file in [description, path] where !exists(file) {
            throw CheckpointError(
                .missing, file, "is missing, though projector_config.json maps a layer to it; download the fuser again")
        }
        let root = try ConfigFile(description).root
        let sizes = 1...Self.maximumSize
        self.index = index
        className = try root.string("class")
        arguments = try root.object("init_args")
        sourceDim = try arguments.int("source_dim", in: sizes)
        targetDim = try arguments.int("target_dim", in: sizes)
        sourceHeads = try arguments.int("source_num_heads", in: sizes)
        targetHeads = try arguments.int("target_num_heads", in: sizes)
        hiddenDim = try arguments.int("hidden_dim", in: sizes)
        intermediateDim = try arguments.optionalInt("intermediate_dim", in: sizes)
        layers = try arguments.int("num_layers", in: 1...1000)
        dtype = try arguments.optionalObject("dtype").map(Self.torchType)
    }

    /// The projector's tensors by their state_dict names. Opens the file on every call; the tensors stay in it.
    /// - Throws: `CheckpointError` if the file cannot be read or is not a state_dict.
    public func state() throws -> ProjectorState {
        ProjectorState(try TorchFile(path))
    }

    /// `{"__type__": "torch.dtype", "value": "bfloat16"}`
    private static func torchType(_ object: ConfigObject) throws -> TensorType {
        guard try object.string("__type__") == "torch.dtype" else {
            throw object.invalid("__type__", expected: "torch.dtype")
        }
        let name = try object.string("value")
        guard let type = TensorType(torchName: name.hasPrefix("torch.") ? String(name.dropFirst(6)) : name) else {
            throw object.invalid("value", expected: "a torch dtype as bfloat16")
        }
        return type
    }
}
