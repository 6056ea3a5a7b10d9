/// The classes and functions a state_dict's pickle may name. They are recognised, never called: a pickle that names
/// anything else could run any code when loaded, and is refused.
enum PickleGlobal: Sendable, Equatable {
    case orderedDictionary
    case rebuildTensor
    case rebuildParameter
    case storage(TensorType)

    init(module: String, name: String, file: String) throws {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch", "DoubleStorage"): self = .storage(.f64)
        case ("torch", "FloatStorage"): self = .storage(.f32)
        case ("torch", "HalfStorage"): self = .storage(.f16)
        case ("torch", "BFloat16Storage"): self = .storage(.bf16)
        case ("torch", "LongStorage"): self = .storage(.i64)
        case ("torch", "IntStorage"): self = .storage(.i32)
        case ("torch", "ShortStorage"): self = .storage(.i16)
        case ("torch", "CharStorage"): self = .storage(.i8)
        case ("torch", "ByteStorage"): self = .storage(.u8)
        case ("torch", "BoolStorage"): self = .storage(.bool)
        default:
            throw CheckpointError(
                .unsafe, file,
                "asks for \(quoted("\(module).\(name)")), which a state_dict of tensors does not need: the file wants "
                    + "to run code and is not loaded")
        }
    }
}
