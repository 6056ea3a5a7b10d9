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

        init(_ binding: BufferBinding, on device: DeviceDescription) {
            buffer = binding.buffer.handle
            offset = binding.buffer.offset + binding.offset
            byteCount = TexelView.byteCount(of: binding, on: device)
        }
    }

    /// What views on CPU devices may reach past a binding; blocks are so much longer there.
    ///
    /// Mesa's lavapipe (22.3) takes bits 8 to 15 of a view's size for what they are in an image, its last level, and compiles a kernel
    /// once for views where they are zeros and once for others. The second time it has changed the kernel already, so that
    /// what it keeps on disk isn't found by the next process. Where the bits are never zeros there is no second time.
    static let excessBytes = 256

    /// How far the view of a binding reaches. Kernels read nothing of what is behind the binding.
    static func byteCount(of binding: BufferBinding, on device: DeviceDescription) -> Int {
        let longer = binding.byteCount + excessBytes
        guard device.kind == .cpu, (binding.byteCount >> 8) & 0xFF == 0, longer <= device.limits.maxTexelBufferBytes
        else { return binding.byteCount }
        return longer
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
