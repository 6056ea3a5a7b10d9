import Checkpoints
import Foundation
import Testing

struct FuserDirectoryTests {
    private let directory: TemporaryDirectory

    private static let mapping = #"{"0": {"1": {"2": [[5, 1]], "0": [[4, 0], [3, 7]]}}}"#
    private static let training = """
        {"model": {"base_model": "r", "teacher_model": "s", "is_do_alignment": true, "alignment_strategy": "longest",
         "mapping": "k_nearest", "multi_source_fusion_mode": "parallel", "projector": {"type": "C2CProjector"}}}
        """
    private static let projector = """
        {"class": "C2CProjector", "init_args": {"source_dim": 16, "target_dim": 32, "source_num_heads": 3,
         "target_num_heads": 2, "dtype": {"__type__": "torch.dtype", "value": "bfloat16"}, "hidden_dim": 40,
         "intermediate_dim": 48, "num_layers": 3, "dropout": 0.1}}
        """

    init() throws {
        directory = try TemporaryDirectory()
    }

    private var torchFile: [UInt8] {
        let pickle = PickleBuilder.dictionary {
            $0.text("key_gate_logit")
            $0.tensor(key: "0", count: 1, shape: [], strides: [])
        }
        return torchArchive(pickle: pickle, storages: ["0": bytes([0.5])]).build()
    }

    /// Writes a fuser whose projectors are in `folder` ("final/" or "").
    private func write(
        in folder: String = "final/", mapping: String = mapping, training: String? = training,
        projector: String = projector
    ) throws {
        if let training { try directory.write("config.json", training) }
        try directory.write("\(folder)projector_config.json", mapping)
        for index in 0..<2 {
            try directory.write("\(folder)projector_\(index).json", projector)
            try directory.write("\(folder)projector_\(index).pt", torchFile)
        }
    }

    @Test func readsAPublishedFuser() throws {
        try write()
        let fuser = try FuserDirectory(directory.path)
        #expect(fuser.path == "\(directory.path)/final")
        #expect(fuser.mapping.keys.sorted() == [0, 2])
        #expect(fuser.mapping[0]?.sharerLayer == 4 && fuser.mapping[0]?.projector == 0)
        #expect(fuser.mapping[2]?.sharerLayer == 5 && fuser.mapping[2]?.projector == 1)
        #expect(fuser.projectors.map(\.index) == [0, 1])
        let training = try #require(fuser.training)
        #expect(training.baseModel == "r" && training.teacherModel == "s" && training.isAligned)
        #expect(training.alignmentStrategy == .longest && training.fusionMode == .parallel)
        #expect(training.mappingName == "k_nearest")
        #expect(try training.model.object("projector").string("type") == "C2CProjector")
        let projector = try fuser.projector(1)
        #expect(projector.className == "C2CProjector" && projector.dtype == .bf16)
        #expect(projector.sourceDim == 16 && projector.targetDim == 32)
        #expect(projector.sourceHeads == 3 && projector.targetHeads == 2)
        #expect(projector.hiddenDim == 40 && projector.intermediateDim == 48 && projector.layers == 3)
        #expect(try projector.arguments.double("dropout", in: 0...1) == 0.1)
        #expect(try projector.state().tensors["key_gate_logit"]?.floats() == [0.5])
        expectError(.missing, "projector 2") { _ = try fuser.projector(2) }
    }

    @Test func readsTheFinalDirectoryItself() throws {
        try write()
        for path in ["\(directory.path)/final", "\(directory.path)/final/", "\(directory.path)/final/."] {
            let fuser = try FuserDirectory(path)
            #expect(fuser.mapping.count == 2)
            #expect(fuser.training?.isAligned == true)
        }
    }

    @Test func readsProjectorsWithoutAFinalDirectory() throws {
        try write(in: "")
        #expect(try FuserDirectory(directory.path).training?.baseModel == "r")
        #expect(try FuserDirectory(directory.path).path == directory.path)
    }

    @Test func trainingIsOptional() throws {
        try write(training: nil)
        #expect(try FuserDirectory(directory.path).training == nil)
        try directory.write("config.json", #"{"model": {}}"#)
        let training = try #require(try FuserDirectory(directory.path).training)
        #expect(!training.isAligned && training.alignmentStrategy == nil && training.fusionMode == nil)
    }

    @Test func theParentOfAnotherDirectoryIsNotAsked() throws {
        try write(in: "step_100/")
        #expect(try FuserDirectory("\(directory.path)/step_100").training == nil)
    }

    @Test(arguments: [
        #"{"model": {"is_do_alignment": "yes"}}"#, #"{"model": {"alignment_strategy": "shortest"}}"#,
        #"{"model": {"multi_source_fusion_mode": 1}}"#, #"{"model": []}"#, "{}",
    ])
    func refusesOtherTraining(_ training: String) throws {
        try write(training: training)
        expectError(.invalidValue, "config.json: model") { _ = try FuserDirectory(directory.path) }
    }

    @Test(arguments: [
        "{", #"{"0": {"1": {}}}"#, #"{"0": {"1": {"0": [[0, 0]]}, "1": {"1": [[0, 0]]}, "1": {}}}"#,
    ])
    func refusesMalformedMappings(_ mapping: String) throws {
        try write(mapping: mapping)
        expectError(.malformed, "projector_config.json") { _ = try FuserDirectory(directory.path) }
    }

    @Test(arguments: [
        "[[0]]", "[[0, 0, 0]]", "[]", "[[]]", "[0, 0]", "3", "null", "[[0, -1]]", "[[-1, 0]]", "[[0, 0.0]]",
        "[[0, true]]", "[[0, 10000]]", "[[9223372036854775808, 0]]", "[[0, \"0\"]]", "[[0, 0], [0]]", "{}",
    ])
    func refusesOtherPairs(_ pairs: String) throws {
        try write(mapping: #"{"0": {"1": {"0": \#(pairs)}}}"#)
        expectError(.invalidValue, "projector_config.json: 0.1.0") { _ = try FuserDirectory(directory.path) }
    }

    @Test(arguments: ["-1", "+1", "01", "1.0", "x", "", "10000", "99999999999999999999", " 1", "١"])
    func refusesOtherLayers(_ layer: String) throws {
        try write(mapping: #"{"0": {"1": {"\#(layer)": [[0, 0]]}}}"#)
        expectError(.invalidValue, "projector_config.json", "layer") { _ = try FuserDirectory(directory.path) }
    }

    @Test func refusesSeveralModels() throws {
        try write(mapping: #"{"0": {"1": {"0": [[0, 0]]}, "2": {"0": [[0, 1]]}}}"#)
        expectError(.unsupported, "2 sharers") { _ = try FuserDirectory(directory.path) }
        try write(mapping: #"{"0": {"1": {"0": [[0, 0]]}}, "1": {}}"#)
        expectError(.unsupported, "2 receivers") { _ = try FuserDirectory(directory.path) }
        try write(mapping: "{}")
        expectError(.unsupported, "0 receivers") { _ = try FuserDirectory(directory.path) }
    }

    @Test(arguments: ["projector_1.json", "projector_1.pt"])
    func saysWhichFileIsMissing(_ file: String) throws {
        try write()
        try FileManager.default.removeItem(atPath: "\(directory.path)/final/\(file)")
        expectError(.missing, "final/\(file)", "download") { _ = try FuserDirectory(directory.path) }
    }

    @Test func saysWhatIsNoFuser() throws {
        expectError(.missing, "projector_config.json") { _ = try FuserDirectory(directory.path) }
        expectError(.missing, "no such directory") { _ = try FuserDirectory("\(directory.path)/none") }
        let file = try directory.write("file", "x")
        expectError(.inaccessible) { _ = try FuserDirectory(file) }
    }

    @Test func refusesOtherProjectors() throws {
        let changes = [
            ("\"class\"", "\"klass\"", "class is missing"), ("init_args", "args", "init_args is missing"),
            ("\"source_dim\": 16", "\"source_dim\": 0", "source_dim is 0"),
            ("\"target_num_heads\": 2", "\"target_num_heads\": true", "target_num_heads is true"),
            ("\"num_layers\": 3", "\"num_layers\": -3", "num_layers is -3"),
            ("\"hidden_dim\": 40", "\"hidden_dim\": 1e400", "is inf"), ("bfloat16", "bfloat17", "dtype.value"),
            ("torch.dtype", "os.system", "dtype.__type__"),
            ("\"intermediate_dim\": 48", "\"intermediate_dim\": 2.5", "intermediate_dim is 2.5"),
        ]
        for (old, new, fragment) in changes {
            try write(projector: Self.projector.replacingOccurrences(of: old, with: new))
            do {
                _ = try FuserDirectory(directory.path)
                Issue.record("\(new) was accepted")
            } catch let error as CheckpointError {
                #expect(error.description.contains("projector_0.json"))
                #expect(error.description.contains(fragment), "\(error)")
            }
        }
    }

    @Test func tensorsAreReadWhenAskedFor() throws {
        try write()
        try directory.write("final/projector_1.pt", "damaged")
        let fuser = try FuserDirectory(directory.path)
        #expect(try fuser.projector(0).state().tensors.count == 1)
        expectError(.malformed, "projector_1.pt") { _ = try fuser.projector(1).state() }
    }
}
