/// Reads `projector_config.json`: `{"0": {"1": {"<receiver layer>": [[<sharer layer>, <projector>], ...]}}}`, where
/// the outer keys are the receiver's and the sharer's index. Only the first pair of a list is used, as in the
/// reference implementation.
enum LayerMapping {
    /// Bounds layer and projector numbers.
    static let maximumIndex = 9_999

    static func read(_ path: String) throws -> [Int: FuserDirectory.Source] {
        let receiver = try onlyEntry(ConfigFile(path).root, "receiver")
        let layers = try onlyEntry(receiver, "sharer")
        guard !layers.keys.isEmpty else { throw CheckpointError(.malformed, path, "maps no layer") }
        var mapping: [Int: FuserDirectory.Source] = [:]
        for key in layers.keys {
            // The round trip refuses "+1" and "01", which would make two keys one layer.
            guard let layer = Int(key), String(layer) == key, 0...maximumIndex ~= layer else {
                throw layers.invalid(key, expected: "to be under a receiver layer's number, 0...\(maximumIndex)")
            }
            let pairs = try layers.integerLists(key, in: 0...maximumIndex)
            guard let first = pairs.first, pairs.allSatisfy({ $0.count == 2 }) else {
                throw layers.invalid(key, expected: "a list of [sharer layer, projector]")
            }
            mapping[layer] = FuserDirectory.Source(sharerLayer: first[0], projector: first[1])
        }
        return mapping
    }

    private static func onlyEntry(_ object: ConfigObject, _ role: String) throws -> ConfigObject {
        guard let key = object.keys.first, object.keys.count == 1 else {
            throw CheckpointError(
                .unsupported, object.file,
                "maps \(object.keys.count) \(role)s, expected one; give each sharer a fuser directory of its own")
        }
        return try object.object(key)
    }
}
