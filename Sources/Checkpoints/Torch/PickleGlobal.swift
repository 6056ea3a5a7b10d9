/// The classes, functions and constants a state_dict's pickle may name, which are those that PyTorch itself takes from a file
/// it doesn't trust (`torch.load(weights_only=True)`). They are recognised, never called: a pickle that names anything else
/// could run any code when loaded, and is refused.
enum PickleGlobal: Sendable, Equatable {
    case orderedDictionary
    /// `_rebuild_tensor`, `_v2` and `_v3`, by number.
    case rebuildTensor(Int)
    case rebuildParameter
    case rebuildFromType
    /// `torch.Tensor` and `torch.nn.Parameter`.
    case tensorClass
    /// Nil counts bytes: the tensor's own type says what they are.
    case storage(PickledType?)
    case elements(PickledType)
    case size
    /// What makes, or is, something that isn't read, and harmless: "a sparse tensor".
    case unread(String)

    init(module: String, name: String, file: String) throws {
        if let global = Self.known["\(module).\(name)"] ?? Self.storage(module, name) ?? Self.elements(module, name) {
            self = global
            return
        }
        throw CheckpointError(
            .unsafe, file,
            "asks for \(quoted("\(module).\(name)")), which a state_dict of tensors does not need: the file wants "
                + "to run code and is not loaded")
    }

    private static let known: [String: PickleGlobal] = [
        "collections.OrderedDict": .orderedDictionary, "collections.Counter": .unread("a counter"),
        "torch._utils._rebuild_tensor": .rebuildTensor(1), "torch._utils._rebuild_tensor_v2": .rebuildTensor(2),
        "torch._utils._rebuild_tensor_v3": .rebuildTensor(3),
        "torch._utils._rebuild_parameter": .rebuildParameter,
        "torch._utils._rebuild_parameter_with_state": .rebuildParameter,
        "torch._tensor._rebuild_from_type_v2": .rebuildFromType,
        "torch.Tensor": .tensorClass, "torch.nn.parameter.Parameter": .tensorClass,
        "torch.storage.UntypedStorage": .storage(nil), "torch.Size": .size,
        "torch._utils._rebuild_qtensor": .unread("a quantized tensor"),
        "torch._utils._rebuild_sparse_tensor": .unread("a sparse tensor"),
        "torch._utils._rebuild_sparse_csr_tensor": .unread("a sparse tensor"),
        "torch._utils._rebuild_nested_tensor": .unread("a nested tensor"),
        "torch._utils._rebuild_meta_tensor_no_storage": .unread("a tensor without data"),
        "torch._utils._rebuild_wrapper_subclass": .unread("a tensor of another class"),
        "torch._utils._rebuild_device_tensor_from_cpu_tensor": .unread("a tensor of another device"),
        "torch._utils._rebuild_device_tensor_from_numpy": .unread("a tensor of another device"),
        "torch.serialization._get_layout": .unread("a layout"), "torch.device": .unread("a device"),
        "torch.per_tensor_affine": .unread("a scheme"), "torch.per_tensor_symmetric": .unread("a scheme"),
        "torch.per_channel_affine": .unread("a scheme"), "torch.per_channel_symmetric": .unread("a scheme"),
        "torch.per_channel_affine_float_qparams": .unread("a scheme"),
        "_codecs.encode": .unread("bytes"), "builtins.bytearray": .unread("bytes"),
        "__builtin__.bytearray": .unread("bytes"), "builtins.set": .unread("a set"),
        "__builtin__.set": .unread("a set"),
        "builtins.complex": .unread("a complex number"), "__builtin__.complex": .unread("a complex number"),
    ]

    private static func storage(_ module: String, _ name: String) -> PickleGlobal? {
        guard module == "torch" || module == "torch.cuda", name.hasSuffix("Storage") else { return nil }
        let types: [String: PickledType] = [
            "Double": PickledType(.f64, name: "float64"), "Float": PickledType(.f32, name: "float32"),
            "Half": PickledType(.f16, name: "float16"), "BFloat16": PickledType(.bf16, name: "bfloat16"),
            "Long": PickledType(.i64, name: "int64"), "Int": PickledType(.i32, name: "int32"),
            "Short": PickledType(.i16, name: "int16"), "Char": PickledType(.i8, name: "int8"),
            "Byte": PickledType(.u8, name: "uint8"), "Bool": PickledType(.bool, name: "bool"),
            "ComplexDouble": PickledType(unread: "complex128", size: 16),
            "ComplexFloat": PickledType(unread: "complex64", size: 8),
            "QInt8": PickledType(unread: "qint8"), "QUInt8": PickledType(unread: "quint8"),
            "QInt32": PickledType(unread: "qint32", size: 4), "QUInt4x2": PickledType(unread: "quint4x2"),
            "QUInt2x4": PickledType(unread: "quint2x4"),
        ]
        return types[String(name.dropLast("Storage".count))].map(PickleGlobal.storage)
    }

    /// `torch.float8_e4m3fn` and its like. New ones come with every version, so what is named as a type is taken for one.
    private static func elements(_ module: String, _ name: String) -> PickleGlobal? {
        guard module == "torch" else { return nil }
        if let type = TensorType(torchName: name) { return .elements(PickledType(type, name: name)) }
        let stems = ["float", "bfloat", "complex", "quint", "qint", "uint", "int", "bits"]
        guard let stem = stems.first(where: name.hasPrefix) else { return nil }
        let rest = name.utf8.dropFirst(stem.utf8.count)
        let isName = rest.allSatisfy {
            $0 == UInt8(ascii: "_") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                || UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0
        }
        guard isName, let first = rest.first, UInt8(ascii: "0")...UInt8(ascii: "9") ~= first, rest.count <= 16 else {
            return nil
        }
        return .elements(PickledType(unread: name))
    }
}
