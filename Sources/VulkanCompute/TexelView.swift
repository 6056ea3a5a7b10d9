import CVulkan

/// A range of a buffer as texels of four u32, which kernels read as `usamplerBuffer`.
final class TexelView {
    /// Bytes of one texel.
    static let texelBytes = 16

    /// The range, counted in the block's VkBuffer.
    struct Key: Hashable {
        let buffer: VkBuffer
        let offset: Int
        let byteCount: Int

        init(_ binding: BufferBinding) {
            buffer = binding.buffer.handle
            offset = binding.buffer.offset + binding.offset
            byteCount = binding.byteCount
        }
    }

    private let object: DeviceObject

    var handle: VkBufferView { object.handle }

    init(_ key: Key, on device: LogicalDevice) throws {
        var info = VkBufferViewCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO
        info.buffer = key.buffer
        info.format = VK_FORMAT_R32G32B32A32_UINT
        info.offset = UInt64(key.offset)
        info.range = UInt64(key.byteCount)
        object = try DeviceObject(on: device, "vkCreateBufferView", destroy: vkDestroyBufferView) {
            vkCreateBufferView($0, &info, nil, $1)
        }
    }
}

extension DeviceDescription.Limits {
    /// The most bytes of a kernel's texel buffer.
    public var maxTexelBufferBytes: Int { maxTexelBufferElements * TexelView.texelBytes }

    /// What the start of a binding is a multiple of, in either form; a power of two.
    public var bindingAlignment: Int { max(minStorageBufferOffsetAlignment, minTexelBufferOffsetAlignment) }
}
