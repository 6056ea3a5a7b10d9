import Inference

/// What a workgroup of `linear` computes.
struct LinearTile {
    var kernel = "linear"
    /// Of the kernel, but for the weight's type.
    var variant: String
    /// Rows of the weight.
    var groupRows: Int
    var tokens: Int
    /// Invocations of a workgroup where the kernel leaves them open.
    var threads: Int?
    /// What the kernel multiplies with, if it does with these.
    var matrixUnits: MatrixUnits?
    /// Blocks of a row, where the kernel is made for so many.
    var blocks: Int?
    /// Whether workgroups can divide the columns of a tile among themselves.
    var splitsColumns = false

    /// Whether the kernel can take its input as a norm of what is bound.
    var takesNorm: Bool { threads != nil }
}

extension DispatchEncoder {
    /// The tile for a product of `weight` with so many tokens, by what the device is good at.
    func tile(_ weight: TensorInfo, tokens: Int) -> LinearTile {
        if loadsByLane {
            switch tokens {
            case 1: return LinearTile(variant: "TILE=L8x1", groupRows: 64, tokens: 1)
            case ...8: return LinearTile(variant: "TILE=L8x8", groupRows: 64, tokens: 8)
            default: return LinearTile(variant: "TILE=L8x16", groupRows: 64, tokens: 16)
            }
        }
        if tokens <= 8, limits.minSubgroupSize >= 4 { return subgroupTile(weight, tokens: tokens) }
        return matrixUnits?.tile(weight.shape, tokens: tokens)
            ?? LinearTile(variant: "TILE=T64x64", groupRows: 64, tokens: 64, splitsColumns: true)
    }

    /// The tile of few tokens, with as many invocations as have something to load, so that a small weight fills the device too.
    private func subgroupTile(_ weight: TensorInfo, tokens: Int) -> LinearTile {
        let eights = weight.shape.columns.groups(of: 8)
        let loads: Int
        let groupRows: Int
        switch (tokens, weight.type.blockFormat) {
        case (1, let format?):
            let eightsOfUnit = BlockFormat.unitBytes / format.bits
            groupRows = BlockFormat.tileRows
            loads = groupRows * eights / eightsOfUnit / 4
        case (1, nil):
            groupRows = 2
            loads = eights / 4
        default:
            groupRows = 4
            loads = eights
        }
        if tokens == 1, weight.type.blockFormat != nil,
            let tile = integerProducts?.tile(weight.shape, threads: threads(loads: eights))
        {
            return tile
        }
        return LinearTile(
            variant: tokens == 1 ? "TILE=S1" : "TILE=S8", groupRows: groupRows, tokens: tokens == 1 ? 1 : 8,
            threads: threads(loads: loads))
    }

    private func threads(loads: Int) -> Int {
        min(128, max(32, loads & ~31))
    }
}
