import Checkpoints
import Inference

/// A fuser directory whose mapping and gates have been read, but not its weights.
public struct FuserCheckpoint: Sendable {
    public let directory: FuserDirectory
    public let description: FuserDescription
    /// By receiver layer: the gates' logits, keys' and values'. A gate is open where its logit is positive.
    public let gateLogits: [Int: [CacheHalf: Float]]
    private let states: [Int: ProjectorState]

    /// - Throws: `CheckpointError` for files that are missing, damaged or unsafe; `LoadingError` for projectors of
    ///   another class or of different forms.
    public init(_ path: String) throws {
        directory = try FuserDirectory(path)
        for projector in directory.projectors where projector.className != "C2CProjector" {
            throw LoadingError.unsupported(
                "\(path): projector \(projector.index) is of class \(quoted(projector.className)); "
                    + "only C2CProjector is supported")
        }
        guard let first = directory.projectors.first else {
            throw LoadingError.unsupported("\(path): projector_config.json maps no layer; is the fuser complete?")
        }
        let forms = Set(directory.projectors.map(Form.init))
        guard forms.count == 1 else {
            throw LoadingError.unsupported(
                "\(path): its projectors have different sizes; all projectors of a fuser must be alike")
        }
        let states = try Dictionary(uniqueKeysWithValues: directory.projectors.map { ($0.index, try $0.state()) })
        let files = Dictionary(uniqueKeysWithValues: directory.projectors.map { ($0.index, $0.path) })
        var gates: [Int: [CacheHalf: Float]] = [:]
        var open: [OpenProjection] = []
        for (layer, source) in directory.mapping.sorted(by: { $0.key < $1.key }) {
            for half in CacheHalf.allCases {
                let name = "\(half.rawValue)_gate_logit"
                let state = states[source.projector]
                try state?.refuseUnread(name, file: files[source.projector] ?? path)
                guard let gate = state?.tensor(name), gate.elementCount == 1, let logit = try gate.floats().first
                else {
                    throw LoadingError.shape(
                        "\(files[source.projector] ?? path): \(name) is missing or no single number; "
                            + "is this a C2CProjector?")
                }
                gates[layer, default: [:]][half] = logit
                if logit > 0 {
                    open.append(
                        OpenProjection(receiverLayer: layer, sharerLayer: source.sharerLayer, half: half))
                }
            }
        }
        let form = Form(first)
        guard form.layers >= 3 else {
            throw LoadingError.unsupported(
                "\(path): num_layers is \(form.layers); a C2CProjector has at least 3")
        }
        gateLogits = gates
        self.states = states
        description = FuserDescription(
            sharerKVHeadCount: form.sourceHeads, sharerHeadDim: form.sourceDim, receiverKVHeadCount: form.targetHeads,
            receiverHeadDim: form.targetDim, hiddenSize: form.hidden, intermediateSize: form.intermediate,
            projectionBlockCount: form.layers - 2, open: open, projectionCount: 2 * directory.mapping.count)
    }

    /// Loads the weights of the open projections into a backend's memory.
    ///
    /// - Parameters:
    ///   - name: the fuser's name in a session, such as `fuser0`.
    ///   - weightType: the type matrices are stored in; nil keeps the checkpoint's.
    ///   - onBytes: given, tensor by tensor, the bytes that were read.
    /// - Throws: `LoadingError` for a tensor that is missing or of another shape; what the backend throws when memory
    ///   is exhausted.
    public func load(
        as name: String, weightType: ElementType? = nil, on backend: any Backend, onBytes: ((Int) -> Void)? = nil
    ) throws -> Fuser {
        var weights: [FuserWeightSlot.Role: any StoredTensor] = [:]
        for slot in description.weightSlots {
            let source = WeightSource(batches: try description.open.map { [try matrix(slot, $0)] })
            weights[slot.role] = try backend.makeTensor(
                "\(name).\(slot.role.tensorName)", source,
                type: slot.isVector ? .f32 : weightType ?? source.commonType)
            onBytes?(source.byteCount)
        }
        return try Fuser(name: name, description: description, weights: weights)
    }

    /// The bytes that `load` reads.
    /// - Throws: as `load`.
    public func byteCount() throws -> Int {
        try description.weightSlots.reduce(0) { sum, slot in
            sum + WeightSource(batches: try description.open.map { [try matrix(slot, $0)] }).byteCount
        }
    }

    private func matrix(_ slot: FuserWeightSlot, _ projection: OpenProjection) throws -> HostMatrix {
        let name = "\(projection.half.rawValue)_\(slot.role.stateName)"
        let state = directory.mapping[projection.receiverLayer].flatMap { states[$0.projector] }
        try state?.refuseUnread(name, file: "\(directory.path): receiver layer \(projection.receiverLayer)")
        guard let tensor = state?.tensor(name) else {
            throw LoadingError.shape(
                "\(directory.path): the projector of receiver layer \(projection.receiverLayer) has no \(name); "
                    + "is this a C2CProjector?")
        }
        let (sharer, receiver) = (description.sharerWidth, description.receiverWidth)
        let isInput = slot.role == .sharerInput || slot.role == .receiverInput
        let whole = try tensor.matrix(
            rows: slot.shape.rows, columns: isInput ? sharer + receiver : slot.shape.columns,
            advice: "receiver layer \(projection.receiverLayer) needs it so; is this fuser for another pair?")
        switch slot.role {
        case .sharerInput: return whole.columns(0..<sharer)
        case .receiverInput: return whole.columns(sharer..<sharer + receiver)
        default: return whole
        }
    }

    /// The numbers that all projectors of a fuser share.
    private struct Form: Hashable {
        var sourceDim, sourceHeads, targetDim, targetHeads, hidden, intermediate, layers: Int

        init(_ projector: ProjectorFile) {
            sourceDim = projector.sourceDim
            sourceHeads = projector.sourceHeads
            targetDim = projector.targetDim
            targetHeads = projector.targetHeads
            hidden = projector.hiddenDim
            intermediate = projector.intermediateDim ?? projector.hiddenDim
            layers = projector.layers
        }
    }
}

extension ProjectorState {
    /// - Throws: `LoadingError.unsupported` where something else stands under a tensor's name, or a tensor that isn't read.
    fileprivate func refuseUnread(_ name: String, file: String) throws {
        guard let what = whatIsUnread(name) else { return }
        throw LoadingError.unsupported(
            "\(file): \(name) is \(what), which is not supported; save it as float32, float16 or bfloat16")
    }
}

extension FuserWeightSlot.Role {
    /// The tensor's name in a projector's state_dict, without `key_` or `value_`.
    var stateName: String {
        switch self {
        case .sharerInput, .receiverInput: "in.weight"
        case .inputBias: "in.bias"
        case .norm(let block): "\(block.stateName).norm.weight"
        case .blockUp(let block): "\(block.stateName).w1.weight"
        case .blockDown(let block): "\(block.stateName).w2.weight"
        case .scalarHead: "scalar_head.weight"
        case .scalarHeadBias: "scalar_head.bias"
        case .projectionOutput: "proj_out.weight"
        case .projectionOutputBias: "proj_out.bias"
        }
    }

    /// The stored tensor's name within its fuser.
    var tensorName: String {
        switch self {
        case .sharerInput: "in.sharer"
        case .receiverInput: "in.receiver"
        default: stateName
        }
    }
}

extension FuserWeightSlot.Block {
    var stateName: String {
        switch self {
        case .input: "mlp1.blocks.0"
        case .scalar: "scalar_mlp2.blocks.0"
        case .projection(let index): "proj_mlp2.blocks.\(index)"
        }
    }
}
