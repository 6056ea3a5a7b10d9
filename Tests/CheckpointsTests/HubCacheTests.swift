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
        try files.createDirectory(at: repository.appending(path: "refs"), withIntermediateDirectories: true)
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
        #expect(try cache.resolve(home.path) == home.path)
    }

    @Test(
        "What isn't there comes with the command that gets it",
        arguments: [
            ("nobody/nothing", "huggingface-cli download nobody/nothing"),
            ("org/repo.x@v2", "huggingface-cli download org/repo.x --revision v2"),
            ("org/repo.x/none", "huggingface-cli download org/repo.x --include \"none/*\""),
            ("org/repo.x/none@v2", "huggingface-cli download org/repo.x --revision v2 --include \"none/*\""),
            ("org/repo.x@evil", "huggingface-cli download org/repo.x --revision evil"),
            ("org/repo.x@fedcba9", "--revision fedcba9"), ("/no/such/place", "no such directory"),
            ("org/../x", "no such directory"), ("plain", "no such directory"),
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
