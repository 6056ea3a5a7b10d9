import Foundation
import FuzzReaders

/// The reader that `C2C_VK_READER` names.
private let reader: Reader = {
    let name = ProcessInfo.processInfo.environment["C2C_VK_READER"] ?? ""
    guard let reader = Reader(rawValue: name) else {
        fatalError("C2C_VK_READER is '\(name)', expected one of \(Reader.allCases.map(\.rawValue))")
    }
    return reader
}()

/// What libFuzzer calls with every input: <https://llvm.org/docs/LibFuzzer.html>.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try reader.examine(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError("\(error)")
    }
    return 0
}
