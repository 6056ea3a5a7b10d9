import Checkpoints
import Foundation
import Testing

@Suite struct HubCacheTests {
    /// A cache with one repository of one revision.
    private func cache() throws -> (cache: HubCache, home: URL, commit: String) {
        let home = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let commit = "0123456789abcdef0123456789abcdef01234567"
        let repository = home.appending(path: "hub/models--org--repo.x")
        let files = FileManager.default
        try files.createDirectory(
            at: repository.appending(path: "snapshots/\(commit)/a+b_Fuser/final"), withIntermediateDirectories: true)
        try files.createDirectory(at: repository.appending(path: "refs/refs/pr"), withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: repository.appending(path: "snapshots/\(commit)/a+b_Fuser/config.json"))
        try Data(commit.utf8).write(to: repository.appending(path: "refs/refs/pr/1"))
        let old = home.appending(path: "hub/models--gpt2/snapshots/\(commit)")
        try files.createDirectory(at: old, withIntermediateDirectories: true)
        try Data(commit.utf8).write(to: repository.appending(path: "refs/main"))
        try Data("../../outside".utf8).write(to: repository.appending(path: "refs/evil"))
        return (HubCache(environment: ["HF_HOME": home.path]), home, commit)
    }

    @Test("Names resolve to snapshots, by reference and by commit, with subfolders")
    func names() throws {
        let (cache, home, commit) = try cache()
        defer { try? FileManager.default.removeItem(at: home) }
        let snapshot = home.path + "/hub/models--org--repo.x/snapshots/" + commit
        #expect(try cache.resolve("org/repo.x") == snapshot)
        #expect(try cache.resolve("org/repo.x@main") == snapshot)
        #expect(try cache.resolve("org/repo.x@\(commit)") == snapshot)
        #expect(try cache.resolve("org/repo.x@0123456") == snapshot)
        #expect(try cache.resolve("org/repo.x/a+b_Fuser") == snapshot + "/a+b_Fuser")
        #expect(try cache.resolve("org/repo.x@main/a+b_Fuser/final") == snapshot + "/a+b_Fuser/final")
        #expect(try cache.resolve("org/repo.x/a+b_Fuser@main") == snapshot + "/a+b_Fuser")
        #expect(try cache.resolve("org/repo.x/") == snapshot)
        #expect(try cache.resolve("org/repo.x/a%2Bb_Fuser") == snapshot + "/a+b_Fuser")
        #expect(try cache.resolve("org/repo.x@refs%2Fpr%2F1/a+b_Fuser") == snapshot + "/a+b_Fuser")
    }

    @Test(
        "Web addresses are names too",
        arguments: [
            ("https://huggingface.co/org/repo.x", ""), ("https://huggingface.co/org/repo.x/", ""),
            ("http://huggingface.co/org/repo.x//", ""), ("huggingface.co/org/repo.x", ""), ("hf.co/org/repo.x/", ""),
            ("https://hf.co/org/repo.x?library=transformers#usage", ""), ("HTTPS://HuggingFace.co/org/repo.x", ""),
            ("https://www.huggingface.co/org/repo.x/tree/main", ""),
            ("https://huggingface.co/org/repo.x/discussions/3", ""),
            ("https://huggingface.co/org/repo.x/tree/main/a%2Bb_Fuser", "/a+b_Fuser"),
            ("https://huggingface.co/org/repo.x/tree/main/a+b_Fuser/", "/a+b_Fuser"),
            ("https://huggingface.co/org/repo.x/tree/0123456/a%2bb_Fuser/final", "/a+b_Fuser/final"),
            ("https://huggingface.co/org/repo.x/tree/refs%2Fpr%2F1/a%2Bb_Fuser", "/a+b_Fuser"),
            ("https://huggingface.co/org/repo.x/tree/refs/pr/1/a%2Bb_Fuser", "/a+b_Fuser"),
            ("https://huggingface.co/org/repo.x/blob/main/a%2Bb_Fuser/config.json", "/a+b_Fuser"),
            ("https://huggingface.co/org/repo.x/resolve/main/a%2Bb_Fuser/config.json?download=true", "/a+b_Fuser"),
            ("https://huggingface.co/org/repo.x/resolve/main/a%2Bb_Fuser", "/a+b_Fuser"),
            ("hf://org/repo.x@main/a+b_Fuser", "/a+b_Fuser"),
        ])
    func addresses(address: String, place: String) throws {
        let (cache, home, commit) = try cache()
        defer { try? FileManager.default.removeItem(at: home) }
        #expect(try cache.resolve(address) == home.path + "/hub/models--org--repo.x/snapshots/" + commit + place)
    }

    @Test("Folders of the cache stand for what is in them")
    func folders() throws {
        let (cache, home, commit) = try cache()
        defer { try? FileManager.default.removeItem(at: home) }
        let repository = home.path + "/hub/models--org--repo.x"
        let snapshot = repository + "/snapshots/" + commit
        #expect(try cache.resolve(snapshot + "/a%2Bb_Fuser") == snapshot + "/a+b_Fuser")
        for path in [repository, repository + "/", repository + "/snapshots", snapshot] {
            #expect(try cache.resolve(path) == snapshot)
        }
        // Without a reference the only snapshot.
        let old = home.path + "/hub/models--gpt2"
        #expect(try cache.resolve(old) == old + "/snapshots/" + commit)
        #expect(throws: CheckpointError.self) { try cache.resolve("gpt2") }
        try FileManager.default.createDirectory(
            atPath: old + "/snapshots/0000000000000000000000000000000000000000", withIntermediateDirectories: true)
        expectError(.missing, "2 snapshots") { _ = try cache.resolve(old) }
        for path in [home.path, home.path + "/hub"] {
            expectError(.unsupported, "2 repositories", "gpt2, org/repo.x") { _ = try cache.resolve(path) }
        }
        try FileManager.default.removeItem(atPath: snapshot)
        try FileManager.default.createDirectory(
            atPath: home.path + "/hub/models--a--b/snapshots", withIntermediateDirectories: true)
        expectError(.missing, "no snapshot") { _ = try cache.resolve(home.path + "/hub/models--a--b") }
    }

    @Test(
        "Names that are nearly right are answered with the right one",
        arguments: [
            ("org/repo", "did you mean org/repo.x?"), ("Org/Repo.X", "did you mean org/repo.x?"),
            ("other/repo.x", "did you mean org/repo.x?"), ("repo.x", "did you mean org/repo.x?"),
            ("ogr/repo.y", "did you mean org/repo.x?"), ("gpt-2", "did you mean gpt2?"),
            ("org/repo.x/A+B_fuser", "did you mean org/repo.x/a+b_Fuser?"),
            ("org/repo.x/a-b_Fuser", "did you mean org/repo.x/a+b_Fuser?"),
            (
                "https://huggingface.co/org/repo/tree/main/a%2Bb",
                "hf download org/repo --revision main --include \"a+b/*\""
            ),
            ("https://huggingface.co/datasets/org/repo", "one of the datasets"),
        ])
    func nearNames(name: String, words: String) throws {
        let (cache, home, _) = try cache()
        defer { try? FileManager.default.removeItem(at: home) }
        do {
            _ = try cache.resolve(name)
            Issue.record("\(name) was found")
        } catch let error as CheckpointError {
            #expect(error.description.contains(words), "\(error)")
            #expect(!error.description.contains("\n"))
        }
    }

    @Test("What is far from every name is answered with none")
    func farNames() throws {
        let (cache, home, _) = try cache()
        defer { try? FileManager.default.removeItem(at: home) }
        for name in ["Qwen/Qwen3-0.6B", "x/y", "repository"] {
            #expect { try cache.resolve(name) } throws: { !"\($0)".contains("did you mean") }
        }
    }

    @Test(
        "What isn't there comes with the command that gets it",
        arguments: [
            ("nobody/nothing", "hf download nobody/nothing"),
            ("org/repo.x@v2", "hf download org/repo.x --revision v2"),
            ("org/repo.x/none", "hf download org/repo.x --include \"none/*\""),
            ("org/repo.x/none@v2", "hf download org/repo.x --revision v2 --include \"none/*\""),
            ("org/repo.x@evil", "hf download org/repo.x --revision evil"),
            ("org/repo.x@fedcba9", "--revision fedcba9"), ("/no/such/place", "no such directory"),
            ("org/../x", "no such directory"), ("org/repo.x/%2e%2e/%2e%2e", "no such files"),
            ("plain", "no such directory"),
            ("org/repo.x/../..", "no such directory"),
            ("org/re po", "no such directory"), ("", "no such directory"), ("org/@main", "no such directory"),
        ])
    func missing(name: String, words: String) throws {
        let (cache, home, _) = try cache()
        defer { try? FileManager.default.removeItem(at: home) }
        do {
            _ = try cache.resolve(name)
            Issue.record("\(name) was found")
        } catch let error as CheckpointError {
            #expect(error.kind == .missing && error.description.contains(words), "\(error)")
        }
    }

    @Test("The environment says where the cache is")
    func places() {
        func place(_ environment: [String: String]) -> String { HubCache(environment: environment).directory }
        #expect(place(["HF_HUB_CACHE": "/a", "HF_HOME": "/b"]) == "/a")
        #expect(place(["HF_HOME": "/b", "XDG_CACHE_HOME": "/c"]) == "/b/hub")
        #expect(place(["XDG_CACHE_HOME": "/c", "HOME": "/d"]) == "/c/huggingface/hub")
        #expect(place(["HOME": "/d", "HF_HOME": ""]) == "/d/.cache/huggingface/hub")
        #expect(place(["HOME": "/d", "HF_HOME": "~/e"]) == "/d/e/hub")
    }
}
