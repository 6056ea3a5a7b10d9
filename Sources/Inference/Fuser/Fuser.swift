/// A fuser with its weights in a backend's memory.
public final class Fuser {
    public let description: FuserDescription
    /// Distinguishes the fusers of a session in names, such as `fuser0`.
    public let name: String
    private let weights: [FuserWeightSlot.Role: any StoredTensor]

    /// - Parameter weights: a tensor for every slot of `description.weightSlots`, of the slot's shape.
    /// - Throws: `InferenceError.missingWeight` when one is not there or has another shape.
    public init(
        name: String, description: FuserDescription, weights: [FuserWeightSlot.Role: any StoredTensor]
    ) throws {
        for slot in description.weightSlots {
            guard let weight = weights[slot.role], weight.shape == slot.shape else {
                throw InferenceError.missingWeight("\(name): \(slot.role) of shape \(slot.shape)")
            }
        }
        self.name = name
        self.description = description
        self.weights = weights
    }

    func weight(_ role: FuserWeightSlot.Role) -> any StoredTensor {
        guard let weight = weights[role] else {
            preconditionFailure("\(name): \(role) belongs to no open projection")
        }
        return weight
    }

    /// The role of a weight, nil for a tensor that is none of this fuser's.
    func role(of stored: any StoredTensor) -> FuserWeightSlot.Role? {
        weights.first { $0.value === stored }?.key
    }

    /// All weights, in no order.
    var storedWeights: [any StoredTensor] { Array(weights.values) }

    /// Bytes of all weights as stored, padding included.
    public var weightBytes: Int {
        storedWeights.reduce(0) { $0 + $1.byteCount }
    }
}
