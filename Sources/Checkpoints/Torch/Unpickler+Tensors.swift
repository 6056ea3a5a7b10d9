import JSON

/// What the allowed globals stand for: `torch/_utils.py` and the persistent ids of `torch/serialization.py`.
extension Unpickler {
    /// A persistent id: `("storage", storage type, key, location, number of elements)`, in older files with what part of
    /// another storage this is, or none.
    mutating func persistent(_ id: Value) throws -> Value {
        guard case .tuple(let index) = id, (5...6).contains(tuples[index].count),
            case .string("storage") = tuples[index][0],
            case .global(.storage(let elements)) = tuples[index][1],
            case .string(let key) = tuples[index][2],
            case .int(let elementCount) = tuples[index][4]
        else {
            throw malformed("a reference to something that is not a tensor's storage")
        }
        if tuples[index].count == 6 {
            guard case .none = tuples[index][5] else {
                throw CheckpointError(
                    .unsupported, file,
                    "its storages are parts of others, as PyTorch before 0.4 wrote them; save it again with a current one"
                )
            }
        }
        storages.append(PickledStorage(key: key, elements: elements, elementCount: elementCount))
        return .storage(storages.count - 1)
    }

    /// A call of one of the allowed globals.
    mutating func reduce(_ callable: Value, _ arguments: Value) throws -> Value {
        guard case .global(let global) = callable, case .tuple(let index) = arguments else {
            throw malformed("a call of something that is not a function")
        }
        let arguments = tuples[index]
        switch global {
        case .orderedDictionary:
            guard arguments.isEmpty else { throw malformed("an OrderedDict with contents in its constructor") }
            return newDictionary()
        case .rebuildTensor(let version): return try tensor(arguments, version: version)
        case .rebuildParameter, .tensorClass:
            // data, requires_grad, backward_hooks[, state]; of the class itself, data[, requires_grad]
            let counts = global == .tensorClass ? 1...2 : 3...4
            guard counts.contains(arguments.count) else { throw malformed("a parameter with unexpected arguments") }
            switch arguments[0] {
            case .tensor, .unread: return arguments[0]
            default: throw malformed("a parameter with unexpected arguments")
            }
        case .rebuildFromType:
            // function, class, its arguments, attributes
            guard arguments.count == 4, case .global(let function) = arguments[0], function != .rebuildFromType else {
                throw malformed("a tensor of a class with unexpected arguments")
            }
            guard case .global(.tensorClass) = arguments[1] else { return .unread("a tensor of another class") }
            return try reduce(arguments[0], arguments[2])
        case .size:
            guard arguments.count == 1, case .tuple = arguments[0] else { throw malformed("a size that is no tuple") }
            return arguments[0]
        case .unread(let what): return .unread(what)
        case .storage, .elements: throw malformed("a storage made by a call")
        }
    }

    /// storage, offset, size, stride; from version 2 on requires_grad and backward_hooks[, metadata], with the type of the
    /// elements before that in version 3.
    private mutating func tensor(_ arguments: [Value], version: Int) throws -> Value {
        let counts = version == 1 ? 4...4 : version == 2 ? 6...7 : 7...8
        guard counts.contains(arguments.count), case .storage(let index) = arguments[0],
            case .int(let offset) = arguments[1],
            let shape = integers(arguments[2]), let strides = integers(arguments[3])
        else {
            throw malformed("a tensor with unexpected arguments")
        }
        var elements = storages[index].elements
        if version == 3 {
            guard case .global(.elements(let own)) = arguments[6] else {
                throw malformed("a tensor with unexpected arguments")
            }
            elements = own
        }
        guard let elements else { throw malformed("a tensor of bytes that doesn't say what they are") }
        guard elements.type != nil else { return .unread("of type \(elements.name)") }
        tensors.append(
            PickledTensor(
                storage: storages[index], elements: elements, offset: offset, shape: shape, strides: strides))
        return .tensor(tensors.count - 1)
    }

    /// The pickle's result as names and tensors. What else a state_dict may hold beside tensors is only named.
    func state(_ result: Value) throws -> PickledState {
        guard case .dictionary(let index) = result else { throw malformed("its content is not a dictionary") }
        var state = PickledState()
        for (key, value) in dictionaries[index] {
            guard case .string(let text) = key, text.utf8.count <= TensorLayout.maximumNameLength else {
                throw malformed("a key that is not text, or overlong")
            }
            let name = ExactText(text)
            guard state.tensors[name] == nil, state.others[name] == nil else {
                throw malformed("\(quoted(text)) occurs twice")
            }
            switch value {
            case .tensor(let tensor): state.tensors[name] = tensors[tensor]
            case .unread(let what): state.others[name] = what
            default: state.others[name] = "no tensor"
            }
        }
        guard
            dictionaries[index].isEmpty || state.tensors.count > 0
                || state.others.values.contains(where: { $0 != "no tensor" })
        else {
            throw malformed("no tensor stands under a name; save the plain state_dict with torch.save")
        }
        for storage in storages { state.storages[storage.key] = storage }
        return state
    }

    private func integers(_ value: Value) -> [Int]? {
        guard case .tuple(let index) = value, tuples[index].count <= TensorLayout.maximumRank else { return nil }
        var result: [Int] = []
        for element in tuples[index] {
            guard case .int(let number) = element else { return nil }
            result.append(number)
        }
        return result
    }
}
