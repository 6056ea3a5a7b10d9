import Foundation
import OutputFiles
import Testing

struct OutputFileTests {
    private static let mark = OutputMark("an earlier note", offset: 2, "NOTE")
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "OutputFileTests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func put(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }

    private func contents(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }

    private func write(_ text: String, to name: String, isForced: Bool = false) throws {
        let place = try OutputPlace(
            name.hasPrefix("/") ? name : path(name), replacing: Self.mark, isForced: isForced)
        try OutputFile.write(Data(text.utf8), to: place)
    }

    private func remove() throws { try FileManager.default.removeItem(at: folder) }

    @Test("New files, empty ones and earlier outputs are written; anything else stays, unless that is wanted")
    func replacing() throws {
        defer { try? remove() }
        try write("..NOTE 1", to: "new")
        try write("..NOTE 2", to: "new")
        #expect(try contents("new") == "..NOTE 2")
        try put("", "empty")
        try write("..NOTE 3", to: "empty")
        #expect(try contents("empty") == "..NOTE 3")
        for text in ["questions", "NOTE at another place", "..", "..NOT"] {
            try put(text, "other")
            #expect(throws: OutputFileError.self) { try write("..NOTE", to: "other") }
            #expect(try contents("other") == text)
        }
        do {
            try write("..NOTE", to: "other")
        } catch let error as OutputFileError {
            #expect(
                error.description.hasPrefix(path("other") + " can't be written: it is there and is not an earlier note")
            )
            #expect(error.description.contains("--force"))
        }
        try write("..NOTE 4", to: "other", isForced: true)
        #expect(try contents("other") == "..NOTE 4")
        #expect(try names == ["empty", "new", "other"])
    }

    @Test("What appears between the check and the writing is looked at again")
    func late() throws {
        defer { try? remove() }
        let place = try OutputPlace(path("late"), replacing: Self.mark)
        try put("somebody's", "late")
        #expect(throws: OutputFileError.self) { try OutputFile.write(Data("x".utf8), to: place) }
        #expect(try contents("late") == "somebody's")
    }

    @Test("Links stay links, and their targets get the bytes, also where they lead to nothing yet")
    func links() throws {
        defer { try? remove() }
        let files = FileManager.default
        try files.createDirectory(at: folder.appending(path: "below"), withIntermediateDirectories: true)
        try put("..NOTE", "below/real")
        try files.createSymbolicLink(atPath: path("second"), withDestinationPath: "below/real")
        try files.createSymbolicLink(atPath: path("first"), withDestinationPath: path("second"))
        try write("..NOTE 2", to: "first")
        #expect(try contents("below/real") == "..NOTE 2")
        #expect(try files.destinationOfSymbolicLink(atPath: path("first")) == path("second"))
        #expect(try files.destinationOfSymbolicLink(atPath: path("second")) == "below/real")
        try files.createSymbolicLink(atPath: path("dangling"), withDestinationPath: "below/new")
        try write("..NOTE 3", to: "dangling")
        #expect(try contents("below/new") == "..NOTE 3")
        #expect(try files.destinationOfSymbolicLink(atPath: path("dangling")) == "below/new")
        // What a link leads to is as safe as any file.
        try put("precious", "below/real")
        #expect(throws: OutputFileError.self) { try write("..NOTE", to: "first") }
        #expect(try contents("below/real") == "precious")
        try files.createSymbolicLink(atPath: path("circle"), withDestinationPath: "circle")
        #expect(throws: OutputFileError.self) { try write("..NOTE", to: "circle") }
        try files.createSymbolicLink(atPath: path("nowhere"), withDestinationPath: "missing/new")
        #expect(throws: OutputFileError.self) { try write("..NOTE", to: "nowhere") }
        #expect(try names == ["below", "circle", "dangling", "first", "nowhere", "second"])
        #expect(try files.contentsOfDirectory(atPath: path("below")).sorted() == ["new", "real"])
    }

    @Test("Devices and pipes get the bytes")
    func nodes() throws {
        defer { try? remove() }
        try write("anything", to: "/dev/null")
        var status = stat()
        #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
        #expect(mkfifo(path("pipe"), 0o600) == 0)
        // Open for both, so that neither end waits for the other.
        let reader = open(path("pipe"), O_RDWR | O_NONBLOCK)
        try write("through", to: "pipe")
        var bytes = [UInt8](repeating: 0, count: 20)
        #expect(read(reader, &bytes, 20) == 7 && bytes.starts(with: "through".utf8))
        close(reader)
        #expect(stat(path("pipe"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        #expect { try write("anything", to: "/dev/full") } throws: { error in
            (error as? OutputFileError)?.description == "/dev/full can't be written: No space left on device"
        }
        #expect(try names == ["pipe"])
    }

    @Test("A descriptor's name is the descriptor: what is there stays in front")
    func descriptors() throws {
        defer { try? remove() }
        let file = open(path("shared"), O_RDWR | O_CREAT, 0o600)
        try Array("before ".utf8).withUnsafeBytes { bytes in try Descriptor.write(bytes, to: file) }
        for name in ["/dev/fd/\(file)", "/proc/self/fd/\(file)"] { try write("after ", to: name) }
        close(file)
        #expect(try contents("shared") == "before after after ")
        #expect(throws: OutputFileError.self) { try write("x", to: "/dev/fd/\(file)") }
    }

    @Test("Rights are kept; where they don't allow it, nothing is written")
    func rights() throws {
        defer { try? remove() }
        try put("..NOTE", "file")
        #expect(chmod(path("file"), 0o640) == 0)
        try write("..NOTE 2", to: "file")
        var status = stat()
        #expect(stat(path("file"), &status) == 0 && status.st_mode & 0o7777 == 0o640)
        #expect(throws: OutputFileError.self) { try write("x", to: folder.path) }
        #expect(throws: OutputFileError.self) { try write("x", to: "missing/file") }
        #expect(throws: OutputFileError.self) { try write("x", to: "file/below") }
        #expect(throws: OutputFileError.self) { try write("x", to: folder.path + "/new/") }
        #expect(throws: OutputFileError.self) { _ = try OutputPlace("", replacing: nil) }
        #expect(try names == ["file"])
    }

    @Test("A file that is given up leaves what was there, and nothing else")
    func givenUp() throws {
        defer { try? remove() }
        try put("..NOTE", "file")
        do {
            let file = try OutputFile(try OutputPlace(path("file"), replacing: Self.mark))
            try Array("..NOTE 2".utf8).withUnsafeBytes { bytes in try file.append(bytes) }
            #expect(try names.count == 2 && contents("file") == "..NOTE")
        }
        #expect(try names == ["file"] && contents("file") == "..NOTE")
    }
}
