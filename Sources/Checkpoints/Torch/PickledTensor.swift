/// What a state_dict's pickle says about a storage: which entry of the archive, of which type and length.
package struct PickledStorage: Sendable, Hashable {
    /// Name of the entry under `data/`.
    package let key: String
    package let dtype: TensorType
    package let elementCount: Int
}

/// What a state_dict's pickle says about a tensor: a strided view of a storage. Nothing of it has been checked.
package struct PickledTensor: Sendable, Hashable {
    package let storage: PickledStorage
    /// First element, counted in elements.
    package let offset: Int
    package let shape: [Int]
    /// In elements.
    package let strides: [Int]
}
