import VulkanCompute

/// Whether products and attention of many tokens run on a device's matrix units.
public enum MatrixUnitSupport: Sendable, CustomStringConvertible {
    /// In a shape such as `KHR 16x16x16`, provided that they prove right.
    case used(shape: String)
    /// The device has some, but the glslang of this build didn't know the extension.
    case notInBuild
    case none

    public init(of device: DeviceDescription) {
        self =
            if device.kind == .cpu {
                .none
            } else if let units = MatrixUnits(of: device) {
                .used(shape: units.description)
            } else {
                MatrixUnits.exist(on: device) ? .notInBuild : .none
            }
    }

    public var description: String {
        switch self {
        case .used(let shape): shape
        case .notInBuild: "not in this build"
        case .none: "none"
        }
    }
}
