import Checkpoints
import Inference

extension ModelDirectory {
    /// Loads the weights that running `extent` needs into a backend's memory.
    ///
    /// - Parameters:
    ///   - name: the model's name in a session, such as `receiver`.
    ///   - weightType: the type matrices are stored in; nil keeps the checkpoint's.
    ///   - onBytes: given, tensor by tensor, the bytes that were read.
    /// - Throws: `CheckpointError` or `LoadingError` for a tensor that is missing or of another shape; what the
    ///   backend throws when memory is exhausted.
    public func load(
        as name: String, extent: DecoderExtent, weightType: ElementType? = nil, on backend: any Backend,
        onBytes: ((Int) -> Void)? = nil
    ) throws -> Decoder {
        var weights: [WeightSlot.Role: any StoredTensor] = [:]
        var origins: [WeightSlot.Role: [WeightOrigin]] = [:]
        for slot in description.weightSlots(extent) {
            let source = WeightSource(batches: [try sources(slot)])
            origins[slot.role] = source.batches[0].map { WeightOrigin(name: $0.name, rows: $0.rows) }
            weights[slot.role] = try backend.makeTensor(
                "\(name).\(slot.role.tensorName)", source,
                type: slot.isVector ? .f32 : weightType ?? source.commonType)
            onBytes?(source.byteCount)
        }
        return try Decoder(
            name: name, description: description, extent: extent, weights: weights, origins: origins)
    }

    /// The bytes that `load` reads.
    /// - Throws: as `load`.
    public func byteCount(_ extent: DecoderExtent) throws -> Int {
        try description.weightSlots(extent).reduce(0) { try $0 + WeightSource(batches: [sources($1)]).byteCount }
    }

    /// The checkpoint's tensors that a slot stacks.
    private func sources(_ slot: WeightSlot) throws -> [HostMatrix] {
        // Some checkpoints were saved from the bare decoder, without the prefix.
        let prefix = store.contains("model.norm.weight") || !store.contains("norm.weight") ? "model." : ""
        let shape = slot.shape
        func single(_ name: String) throws -> [HostMatrix] {
            [try store.matrix(name, rows: shape.rows, columns: shape.columns)]
        }
        func projections(_ layer: Int, _ suffix: String) -> [(name: String, width: Int)] {
            [("q", description.queryWidth), ("k", description.kvWidth), ("v", description.kvWidth)].map {
                ("\(prefix)layers.\(layer).self_attn.\($0)_proj.\(suffix)", $1)
            }
        }
        switch slot.role {
        case .embedding:
            // Of a tied pair a file may hold the head only.
            let name = "\(prefix)embed_tokens.weight"
            return try single(description.tiesEmbeddings && !store.contains(name) ? "lm_head.weight" : name)
        case .finalNorm: return try single("\(prefix)norm.weight")
        case .head: return try single("lm_head.weight")
        case .attentionNorm(let layer): return try single("\(prefix)layers.\(layer).input_layernorm.weight")
        case .queryKeyValue(let layer):
            return try projections(layer, "weight").map {
                try store.matrix($0.name, rows: $0.width, columns: shape.columns)
            }
        case .queryKeyValueBias(let layer):
            let biases = try projections(layer, "bias").flatMap { name, width in
                _ = try store.matrix(name, rows: 1, columns: width)
                return try store.tensor(name).floats()
            }
            return [
                HostMatrix(
                    name: "\(prefix)layers.\(layer).self_attn.{q,k,v}_proj.bias", rows: 1, columns: shape.columns,
                    values: biases)
            ]
        case .queryNorm(let layer): return try single("\(prefix)layers.\(layer).self_attn.q_norm.weight")
        case .keyNorm(let layer): return try single("\(prefix)layers.\(layer).self_attn.k_norm.weight")
        case .attentionOutput(let layer): return try single("\(prefix)layers.\(layer).self_attn.o_proj.weight")
        case .attentionOutputBias(let layer): return try single("\(prefix)layers.\(layer).self_attn.o_proj.bias")
        case .feedForwardNorm(let layer):
            return try single("\(prefix)layers.\(layer).post_attention_layernorm.weight")
        case .gateUp(let layer):
            return try ["gate", "up"].map {
                try store.matrix(
                    "\(prefix)layers.\(layer).mlp.\($0)_proj.weight", rows: description.intermediateSize,
                    columns: shape.columns)
            }
        case .down(let layer): return try single("\(prefix)layers.\(layer).mlp.down_proj.weight")
        }
    }
}

extension WeightSlot.Role {
    /// The stored tensor's name within its model.
    var tensorName: String {
        switch self {
        case .embedding: "embedding"
        case .finalNorm: "final_norm"
        case .head: "head"
        case .attentionNorm(let layer): "layers.\(layer).attention_norm"
        case .queryKeyValue(let layer): "layers.\(layer).qkv"
        case .queryKeyValueBias(let layer): "layers.\(layer).qkv_bias"
        case .queryNorm(let layer): "layers.\(layer).query_norm"
        case .keyNorm(let layer): "layers.\(layer).key_norm"
        case .attentionOutput(let layer): "layers.\(layer).attention_output"
        case .attentionOutputBias(let layer): "layers.\(layer).attention_output_bias"
        case .feedForwardNorm(let layer): "layers.\(layer).feed_forward_norm"
        case .gateUp(let layer): "layers.\(layer).gate_up"
        case .down(let layer): "layers.\(layer).down"
        }
    }
}
