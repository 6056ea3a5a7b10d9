import Foundation
import Testing

/// What people name on the command line, and flags about it that don't go together: said in one line, with the way out.
@Suite(.serialized)
struct NameTests {
    private static let golden = "golden/qwen3_from_qwen2"

    @Test(
        "Sharers and fusers come in pairs, whatever is asked of them",
        arguments: ["generate", "chat", "eval", "verify", "bench"])
    func pairs(_ command: String) throws {
        let (receiver, sharer, fuser) = (
            Program.fixture("\(Self.golden)/receiver"), Program.fixture("\(Self.golden)/sharer"),
            Program.fixture("\(Self.golden)/fuser")
        )
        let unequal = "give one fuser for each sharer"
        try Program.expectFailure(
            [command, "--receiver", receiver, "--fuser", fuser], says: ["0 --sharer and 1 --fuser", unequal])
        try Program.expectFailure(
            [command, "--receiver", receiver, "--sharer", sharer, "--fuser", fuser, "--fuser", fuser],
            says: ["1 --sharer and 2 --fuser", unequal])
        try Program.expectFailure(
            [command, "--receiver", receiver, "--fusion", "parallel"], says: ["--fusion", "--sharer"])
        guard command != "bench" else { return }
        try Program.expectFailure(
            [command, "--receiver", receiver, "--align", "first"], says: ["--align", "--sharer"])
    }

    @Test("Flags that would be without effect are refused")
    func ignored() throws {
        let pair = Program.pair(Self.golden)
        let receiver = ["--receiver", Program.fixture("\(Self.golden)/receiver")]
        let raw = ["generate", "x", "--raw"]
        try Program.expectFailure(raw + ["--system", "y"] + pair, says: ["--system", "--raw"])
        try Program.expectFailure(raw + ["--sharer-system", "y"] + pair, says: ["--sharer-system", "--raw"])
        try Program.expectFailure(raw + ["--thinking", "on"] + pair, says: ["--thinking", "--raw"])
        let ids = ["generate", "--prompt-ids", "1 2"]
        try Program.expectFailure(ids + ["--system", "y"] + pair, says: ["--system", "--prompt-ids"])
        try Program.expectFailure(ids + ["--raw"] + pair, says: ["--raw", "--prompt-ids"])
        try Program.expectFailure(ids + ["--no-bos"] + pair, says: ["--no-bos", "--raw"])
        try Program.expectFailure(
            ["generate", "x", "--mode", "text", "--sections", "1:1,1:-1"] + pair, says: ["--sections", "text"])
        for command in ["generate", "chat", "eval"] {
            try Program.expectFailure(
                [command] + receiver + ["--sharer-system", "y"], says: ["--sharer-system", "--sharer DIR"])
            try Program.expectFailure(
                [command] + receiver + ["--background-tokens", "3"], says: ["--background-tokens", "--sharer DIR"])
        }
    }

    @Test("A directory that holds something else says what it holds")
    func otherKinds() throws {
        let folder = try TemporaryFolder()
        let base = ["generate", "--prompt-ids", "1", "--receiver"]
        let (receiver, sharer) = (Program.fixture("\(Self.golden)/receiver"), Program.fixture("\(Self.golden)/sharer"))
        let fuser = Program.fixture("\(Self.golden)/fuser")
        try Program.expectFailure(base + [fuser], says: ["is a fuser's directory", "--fuser"])
        try Program.expectFailure(
            base + [receiver, "--sharer", fuser, "--fuser", fuser], says: ["is a fuser's directory, not a model's"])
        try Program.expectFailure(
            base + [receiver, "--sharer", sharer, "--fuser", sharer], says: ["is a model's directory", "--sharer"])

        func directory(_ name: String, _ files: [String: String]) throws -> String {
            let path = folder.path(name)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            for (file, text) in files { try Data(text.utf8).write(to: URL(filePath: path).appending(path: file)) }
            return path
        }
        let config = try String(contentsOfFile: receiver + "/config.json", encoding: .utf8)
        let adapter = try directory(
            "lora",
            [
                "adapter_config.json": #"{"base_model_name_or_path": "Qwen/Qwen3-0.6B", "peft_type": "LORA"}"#,
                "adapter_model.safetensors": "",
            ])
        for command in [base + [adapter], ["inspect", adapter]] {
            try Program.expectFailure(command, says: ["LoRA adapter", "Qwen/Qwen3-0.6B", "merge_and_unload"])
        }
        let gguf = try directory("gguf", ["model-Q4_K_M.gguf": "GGUF", "config.json": config])
        try Program.expectFailure(base + [gguf], says: ["model-Q4_K_M.gguf", "safetensors", "--weights"])
        try Program.expectFailure(base + [gguf + "/model-Q4_K_M.gguf"], says: ["GGUF file", "hf download"])
        try Program.expectFailure(["inspect", gguf + "/model-Q4_K_M.gguf"], says: ["GGUF file"])
        let meta = try directory("meta", ["consolidated.00.pth": "", "params.json": "{}"])
        try Program.expectFailure(base + [meta], says: ["consolidated.00.pth", "transformers"])

        let pointer =
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12345\n"
        let lfs = try directory("lfs", ["config.json": config, "model.safetensors": pointer])
        try Program.expectFailure(base + [lfs], says: ["model.safetensors", "Git LFS pointer", "git lfs pull"])
        let whole = try folder.copy("\(Self.golden)/receiver")
        try Data(pointer.utf8).write(to: URL(filePath: whole).appending(path: "tokenizer.json"))
        try Program.expectFailure(["tokenize", whole, "x"], says: ["tokenizer.json", "Git LFS pointer"])
        let damaged = try folder.copy("\(Self.golden)/fuser")
        try Data(pointer.utf8).write(to: URL(filePath: damaged).appending(path: "final/projector_0.pt"))
        try Program.expectFailure(["inspect", damaged], says: ["projector_0.pt", "Git LFS pointer"])
    }

    @Test("A folder of fusers lists them")
    func fusers() throws {
        let folder = try TemporaryFolder()
        let repository = "hub/models--nics-efc--C2C_Fuser"
        let snapshot = "\(repository)/snapshots/0123456789abcdef0123456789abcdef01234567"
        for name in ["a+b_Fuser", "c+d_Fuser"] {
            let target = URL(filePath: folder.path("\(snapshot)/\(name)"))
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: Program.fixture("\(Self.golden)/fuser"), toPath: target.path)
        }
        try FileManager.default.createDirectory(
            atPath: folder.path("\(repository)/refs"), withIntermediateDirectories: true)
        try Data("0123456789abcdef0123456789abcdef01234567".utf8).write(
            to: URL(filePath: folder.path("\(repository)/refs/main")))
        let home = ["HF_HOME": folder.url.path, "HF_HUB_CACHE": ""]
        let (receiver, sharer) = (Program.fixture("\(Self.golden)/receiver"), Program.fixture("\(Self.golden)/sharer"))
        let base = ["generate", "--prompt-ids", "1 2", "--receiver", receiver, "--sharer", sharer, "--fuser"]
        for name in ["nics-efc/C2C_Fuser", "https://huggingface.co/nics-efc/C2C_Fuser", folder.path(repository)] {
            try Program.expectFailure(base + [name], says: ["2 fusers", "a+b_Fuser, c+d_Fuser"], environment: home)
        }
        try Program.expectFailure(
            ["inspect", "nics-efc/C2C_Fuser"], says: ["2 fusers", "a+b_Fuser, c+d_Fuser"], environment: home)
        try Program.expectFailure(
            ["generate", "--prompt-ids", "1", "--receiver", "nics-efc/C2C_Fuser"], says: ["holds fusers"],
            environment: home)
        try Program.expectFailure(
            base + ["nics-efc/C2C_Fuser/a-b_Fuser"], says: ["did you mean nics-efc/C2C_Fuser/a+b_Fuser?"],
            environment: home)
        let address = "https://huggingface.co/nics-efc/C2C_Fuser/tree/main/a%2Bb_Fuser"
        let outcome = try Program.run(["inspect", address], environment: home)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("receiver: 'receiver'\nsharer: 'sharer'\n"))
        #expect(outcome.output.contains("layers mapped 'last_aligned'"))
        let json = try Program.run(["inspect", "--json", address], environment: home).json()
        #expect(json["receiver_model"] as? String == "receiver" && json["alignment"] as? String == "none")
    }
}
