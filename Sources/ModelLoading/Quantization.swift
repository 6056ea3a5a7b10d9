import Checkpoints

/// Checkpoints whose weights are stored quantized: other tensors than a model's own, which this engine doesn't read.
enum Quantization {
    /// - Throws: `LoadingError.unsupported` naming the method where `config.json` says that the weights are quantized.
    static func refuse(_ config: ConfigObject) throws {
        for key in ["quantization_config", "compression_config", "quantization"] {
            guard let settings = try config.optionalObject(key), !settings.keys.isEmpty else { continue }
            throw error(config.file, try method(settings, of: key))
        }
    }

    /// - Throws: `LoadingError.unsupported` where the first layer's weights aren't stored as numbers and other tensors have the
    ///   names of a quantized checkpoint's, though `config.json` didn't say so.
    static func refuse(_ store: TensorStore) throws {
        let weights = ["model.", ""].map { "\($0)layers.0.self_attn.q_proj.weight" }
        if let weight = weights.first(where: store.contains), let facts = try? store.facts(weight),
            ["F64", "F32", "F16", "BF16"].contains(facts.type)
        {
            return
        }
        let marks: [(suffix: String, method: String)] = [
            (".qweight", "GPTQ or AWQ"), (".weight.absmax", "bitsandbytes"), (".SCB", "bitsandbytes"),
            (".weight_packed", "compressed-tensors"), (".weight_scale_inv", "FP8"), (".weight_scale", "FP8 or INT8"),
            (".weight_quantizer._scale", "modelopt"),
        ]
        for (suffix, method) in marks {
            if let name = store.names.first(where: { $0.hasSuffix(suffix) }) {
                throw error(store.directory, "\(quoted(name)) is a tensor of \(method)")
            }
        }
    }

    private static func method(_ settings: ConfigObject, of key: String) throws -> String {
        if let method = try settings.optionalString("quant_method") {
            return "\(key).quant_method is \(quoted(method))"
        }
        // Older files of bitsandbytes name no method.
        let flags = ["load_in_4bit", "load_in_8bit", "bnb_4bit_quant_type"]
        return flags.contains(where: settings.contains)
            ? "\(key) is one of bitsandbytes" : "\(key) is there, without a quant_method"
    }

    private static func error(_ place: String, _ reason: String) -> LoadingError {
        .unsupported(
            "\(place): \(reason), and quantized checkpoints are not read; give the checkpoint that it was made from, and "
                + "--weights q8_0 or q4_0 to quantize it while it loads")
    }
}
