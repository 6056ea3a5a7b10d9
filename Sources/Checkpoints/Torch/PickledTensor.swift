import JSON

/// The type of elements, as PyTorch names it.
package struct PickledType: Sendable, Hashable {
    /// As `float32` or `float8_e4m3fn`.
    package let name: String
    /// Bytes of one element, as far as storages of it are read or skipped.
    let size: Int
    /// Nil for a type that isn't read.
    package let type: TensorType?

    init(_ type: TensorType, name: String) {
        self.name = name
        self.type = type
        size = type.elementSize
    }

    /// A type that isn't read.
    init(unread name: String, size: Int = 1) {
        self.name = name
        self.size = size
        type = nil
    }
}

/// What a state_dict's pickle says about a storage: where its bytes are, of which type and length.
package struct PickledStorage: Sendable, Hashable {
    /// Name of the entry under `data/`, or one of the keys that follow the pickle in older files.
    package let key: String
    /// Nil where tensors say which type the bytes have, and the storage counts bytes.
    let elements: PickledType?
    package let elementCount: Int

    package var dtype: TensorType? { elements?.type }
}

/// What a state_dict's pickle says about a tensor: a strided view of a storage. Nothing of it has been checked.
package struct PickledTensor: Sendable, Hashable {
    package let storage: PickledStorage
    let elements: PickledType
    /// First element, counted in elements.
    package let offset: Int
    package let shape: [Int]
    /// In elements.
    package let strides: [Int]
}

/// A pickled state_dict.
package struct PickledState: Sendable {
    /// By name.
    package var tensors: [ExactText: PickledTensor] = [:]
    /// What else a state_dict may hold and isn't read, by name, for the error where it is needed: "a quantized tensor".
    package var others: [ExactText: String] = [:]
    /// Of all tensors, unread ones among them, by key.
    var storages: [String: PickledStorage] = [:]
}
