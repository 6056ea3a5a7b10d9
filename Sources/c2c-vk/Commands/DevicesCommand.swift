import ArgumentParser
import VulkanBackend
import VulkanCompute

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists the Vulkan devices, with the index that --device takes.")

    @Flag(help: "Print one JSON array.")
    var json = false

    func run() throws {
        let instance = try BackendChoice.makeInstance()
        let chosen = try? instance.chooseDevice().index
        if json {
            try Output.json(instance.devices.map { Row($0, isDefault: $0.index == chosen) })
            return
        }
        var table = Table(
            ["index", "name", "type", "driver", "memory", "Vulkan", "matrix units", "usable"],
            rightAligned: [0])
        for device in instance.devices {
            let usable =
                device.isUsable
                ? (device.index == chosen ? "yes, default" : "yes") : "lacks " + device.missing.joined(separator: ", ")
            table.add([
                String(device.index), device.name, device.kind.rawValue, "\(device.driverName) \(device.driverInfo)",
                formatBytes(device.deviceLocalBytes), device.apiVersion.description,
                MatrixUnitSupport(of: device).description, usable,
            ])
        }
        try Output.line(table.text)
        try Output.line("--device cpu is the CPU reference: slow, and the measure of the others.")
    }

    private struct Row: Encodable {
        var index: Int
        var name: String
        var type: String
        var driver: String
        var memory_bytes: Int
        var api_version: String
        /// What products of many tokens run on: a shape, `none`, or `not in this build`.
        var matrix_units: String
        var usable: Bool
        var is_default: Bool
        var lacks: [String]

        init(_ device: DeviceDescription, isDefault: Bool) {
            index = device.index
            name = device.name
            type = device.kind.rawValue
            driver = "\(device.driverName) \(device.driverInfo)"
            memory_bytes = device.deviceLocalBytes
            api_version = device.apiVersion.description
            matrix_units = MatrixUnitSupport(of: device).description
            usable = device.isUsable
            is_default = isDefault
            lacks = device.missing
        }
    }
}

extension DeviceDescription {
    /// Bytes of the memory that is the device's own.
    fileprivate var deviceLocalBytes: Int {
        heaps.filter(\.isDeviceLocal).reduce(0) { $0 + $1.byteCount }
    }
}
