import CVulkan
import Logging
import Synchronization

/// Collects what the validation layers report. Thread-safe: a message arrives on the thread of the call that caused it.
public final class ValidationLog: Sendable {
    private let collected = Mutex<[String]>([])
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Warnings and errors so far, in order of arrival.
    public var messages: [String] {
        collected.withLock { $0 }
    }

    /// Takes the messages so far out of the log.
    public func drain() -> [String] {
        collected.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }

    fileprivate func add(_ message: String, isError: Bool) {
        collected.withLock { $0.append(message) }
        logger.log(level: isError ? .error : .warning, "\(message)")
    }

    /// How the instance is told of this log. The log must outlive the instance.
    func messengerInfo() -> VkDebugUtilsMessengerCreateInfoEXT {
        var info = VkDebugUtilsMessengerCreateInfoEXT()
        info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT
        info.messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT.rawValue
            | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT.rawValue
        // Not "general": there the loader tells of drivers that find no device, which is no fault of the caller.
        info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT.rawValue
        info.pfnUserCallback = { severity, _, data, log in
            guard let log, let data = data?.pointee, let message = data.pMessage else { return VK_FALSE }
            // Some layers say it in the message, too.
            let name = data.pMessageIdName.map { String(cString: $0) + ": " } ?? ""
            Unmanaged<ValidationLog>.fromOpaque(log).takeUnretainedValue().add(
                name + String(cString: message), isError: severity == VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT)
            return VK_FALSE
        }
        info.pUserData = Unmanaged.passUnretained(self).toOpaque()
        return info
    }
}
