import CVulkan
import Testing
import VulkanCompute

/// Lists that Vulkan gives in two calls.
@Suite struct EnumerationTests {
    /// A driver whose list grows between calls, `growth` times by one.
    private func items(growth: Int) throws -> [UInt32] {
        var (length, left) = (3, growth)
        return try enumerate(of: UInt32(0), "vkEnumerateTests") { count, items in
            guard let items else {
                count.pointee = UInt32(length)
                return VK_SUCCESS
            }
            if left > 0 { (length, left) = (length + 1, left - 1) }
            let room = Int(count.pointee)
            for index in 0..<min(room, length) { items[index] = UInt32(index) }
            count.pointee = UInt32(min(room, length))
            return room < length ? VK_INCOMPLETE : VK_SUCCESS
        }
    }

    @Test("a list that grows meanwhile is asked for again", arguments: [0, 1, 5])
    func grows(_ growth: Int) throws {
        #expect(try items(growth: growth) == (0..<UInt32(3 + growth)).map { $0 })
    }

    @Test func failuresAreNamed() {
        let error = #expect(throws: VulkanError.self) {
            _ = try enumerate(of: UInt32(0), "vkEnumerateTests") { _, _ in VK_ERROR_OUT_OF_HOST_MEMORY }
        }
        #expect(error?.description.contains("vkEnumerateTests") == true)
    }
}
