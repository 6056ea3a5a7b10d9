import Inference

/// The push constants of a product: see `linear_arguments.glsl`.
struct LinearArguments {
    struct Flags: OptionSet {
        let rawValue: Int

        static let bias = Flags(rawValue: 1)
        static let residual = Flags(rawValue: 2)
        static let gelu = Flags(rawValue: 4)
        /// The rows' second half is gated by the first.
        static let gated = Flags(rawValue: 8)
        /// The output is the sums of each split.
        static let split = Flags(rawValue: 16)
    }

    /// Where an operand starts in its binding, and what its rows and matrices are apart.
    struct Place {
        var offset = 0
        var rowStride = 0
        var batchStride = 0
    }

    var columns: Int
    var rows: Int
    var firstRow: Int
    var tokens: Int
    var weight: Place
    var input: Place
    var biasBatchStride: Int
    var residual: Place
    var output: Place
    var firstBatch: Int
    var flags: Flags
    var epsilon: Float
    var splits: Int

    /// Of the launch that leaves what `linear_sum` adds up.
    var leavingSplits: Self {
        var arguments = self
        arguments.firstRow = 0
        arguments.output = Place(rowStride: rows, batchStride: tokens * rows)
        arguments.flags = .split
        return arguments
    }

    /// In the shader's order.
    var constants: [UInt32] {
        let places = [weight, input].flatMap { [$0.offset, $0.rowStride, $0.batchStride] }
        let ends = [residual, output].flatMap { [$0.offset, $0.rowStride, $0.batchStride] }
        let numbers = [columns, rows, firstRow, tokens] + places + [biasBatchStride] + ends
        return (numbers + [firstBatch, flags.rawValue]).map { UInt32($0) } + [epsilon.bitPattern, UInt32(splits)]
    }
}

extension LinearArguments.Place {
    /// - Parameter offset: of the view in its binding.
    init(_ offset: Int, _ view: TensorView) {
        self.init(offset: offset, rowStride: view.rowStride, batchStride: view.batchStride)
    }
}
