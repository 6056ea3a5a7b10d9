/// A decoder with its weights in a backend's memory.
public final class Decoder {
    public let description: DecoderDescription
    public let extent: DecoderExtent
    /// Distinguishes the models of a session in names, such as `receiver` or `sharer0`.
    public let name: String
    private let weights: [WeightSlot.Role: any StoredTensor]
    private let origins: [WeightSlot.Role: [WeightOrigin]]

    /// - Parameters:
    ///   - weights: a tensor for every slot of `description.weightSlots(extent)`, of the slot's shape.
    ///   - origins: what errors call the parts of weights.
    /// - Throws: `InferenceError.missingWeight` when one is not there or has another shape.
    public init(
        name: String, description: DecoderDescription, extent: DecoderExtent,
        weights: [WeightSlot.Role: any StoredTensor], origins: [WeightSlot.Role: [WeightOrigin]] = [:]
    ) throws {
        for slot in description.weightSlots(extent) {
            guard let weight = weights[slot.role], weight.shape == slot.shape else {
                throw InferenceError.missingWeight("\(name): \(slot.role) of shape \(slot.shape)")
            }
        }
        self.name = name
        self.description = description
        self.extent = extent
        self.weights = weights
        self.origins = origins
    }

    func weight(_ role: WeightSlot.Role) -> any StoredTensor {
        guard let weight = weights[role] else {
            preconditionFailure("\(name): \(role) is outside the extent that was loaded")
        }
        return weight
    }

    /// All weights, in no order.
    var storedWeights: [any StoredTensor] { Array(weights.values) }

    /// Bytes of all weights as stored, padding included.
    public var weightBytes: Int {
        storedWeights.reduce(0) { $0 + $1.byteCount }
    }

    /// The same weights, run only as far as `extent` says.
    /// - Throws: `InferenceError.missingWeight` when the extent reaches beyond what was loaded.
    public func limited(to extent: DecoderExtent) throws -> Decoder {
        try Decoder(name: name, description: description, extent: extent, weights: weights, origins: origins)
    }

    /// The role of a weight, nil for a tensor that is none of this decoder's.
    func role(of stored: any StoredTensor) -> WeightSlot.Role? {
        weights.first { $0.value === stored }?.key
    }

    /// What the checkpoint calls the tensor that row `row` of a weight comes from.
    func origin(_ role: WeightSlot.Role, row: Int) -> String? {
        var end = 0
        return origins[role]?.first {
            end += $0.rows
            return row < end
        }?.name
    }
}

/// One of the checkpoint's tensors that a weight stacks.
public struct WeightOrigin: Sendable {
    public var name: String
    public var rows: Int

    public init(name: String, rows: Int) {
        self.name = name
        self.rows = rows
    }
}
