/// What the allowed globals stand for: `torch/_utils.py` and the persistent ids of `torch/serialization.py`.
extension Unpickler {
    /// A persistent id: `("storage", storage type, key, location, number of elements)`.
    mutating func persistent(_ id: Value) throws -> Value {
        guard case .tuple(let index) = id, tuples[index].count == 5,
            case .string("storage") = tuples[index][0],
            case .global(.storage(let dtype)) = tuples[index][1],
            case .string(let key) = tuples[index][2],
            case .int(let elementCount) = tuples[index][4]
        else {
            throw malformed("a reference to something that is not a tensor's storage")
        }
        storages.append(PickledStorage(key: key, dtype: dtype, elementCount: elementCount))
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
        case .rebuildTensor:
            // storage, offset, size, stride, requires_grad, backward_hooks[, metadata]
            guard arguments.count == 6 || arguments.count == 7,
                case .storage(let storage) = arguments[0],
                case .int(let offset) = arguments[1],
                let shape = integers(arguments[2]), let strides = integers(arguments[3])
            else {
                throw malformed("a tensor with unexpected arguments")
            }
            tensors.append(
                PickledTensor(storage: storages[storage], offset: offset, shape: shape, strides: strides))
            return .tensor(tensors.count - 1)
        case .rebuildParameter:
            // data, requires_grad, backward_hooks
            guard arguments.count == 3, case .tensor = arguments[0] else {
                throw malformed("a parameter with unexpected arguments")
            }
            return arguments[0]
        case .storage:
            throw malformed("a storage made by a call")
        }
    }

    /// The pickle's result as names and tensors.
    func namedTensors(_ result: Value) throws -> [String: PickledTensor] {
        guard case .dictionary(let index) = result else { throw malformed("its content is not a dictionary") }
        var named: [String: PickledTensor] = [:]
        for (key, value) in dictionaries[index] {
            guard case .string(let name) = key, name.utf8.count <= TensorLayout.maximumNameLength else {
                throw malformed("a key that is not text, or overlong")
            }
            guard case .tensor(let tensor) = value else {
                throw malformed("\(quoted(name)) is not a tensor; save the plain state_dict with torch.save")
            }
            guard named.updateValue(tensors[tensor], forKey: name) == nil else {
                throw malformed("\(quoted(name)) occurs twice")
            }
        }
        return named
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
