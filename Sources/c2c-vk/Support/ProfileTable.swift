import VulkanBackend

/// The table of `--profile`.
struct ProfileTable {
    private let rows: [Profile.Row]

    init(_ rows: [Profile.Row]) {
        self.rows = rows
    }

    var text: String {
        let total = rows.reduce(0) { $0 + $1.seconds }
        var table = Table(["kernel", "calls", "ms", "share", "GB/s", "GFLOP/s"], rightAligned: [1, 2, 3, 4, 5])
        for row in rows {
            table.add([
                row.label, String(row.calls), (row.seconds * 1000).decimals(3),
                (total > 0 ? 100 * row.seconds / total : 0).decimals(1) + " %", row.gigabytesPerSecond.decimals(2),
                row.gigaflops.decimals(2),
            ])
        }
        let calls = rows.reduce(0) { $0 + $1.calls }
        table.add(["all", String(calls), (total * 1000).decimals(3), "100.0 %", "", ""])
        return table.text
    }
}
