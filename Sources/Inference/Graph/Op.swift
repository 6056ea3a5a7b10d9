/// One operation of a graph.
///
/// Both backends handle every case, so adding one means a kernel, its host call, its reference and its test.
/// All activations are float32 and all sums are taken in float32, whatever the types of weights and caches.
public enum Op: Sendable {
    case embed(Embed)
    case rmsNorm(RMSNorm)
    case linear(Linear)
    case rope(RoPE)
    case attention(Attention)
    case swiGLU(SwiGLU)
    case readCache(CacheRead)
    case writeCache(CacheWrite)
    case gatedAdd(GatedAdd)
    case penalize(Penalize)
    case argmax(ArgMax)
    case sample(Sample)
    case tally(Tally)
    case flagRows(FlagRows)
    case magnitude(Magnitude)
    case advance(Advance)
}

/// `output[t] = table[ids[t]]`. Ids are checked on the host; one past the table, such as `noToken`, reads nothing and gives
/// zeros.
public struct Embed: Sendable {
    /// `[1, 1, tokens]` of u32.
    public var ids: TensorView
    /// `[1, vocabulary, hidden]` of any weight type.
    public var table: Tensor
    /// `[1, tokens, hidden]`.
    public var output: TensorView

    public init(ids: TensorView, table: Tensor, output: TensorView) {
        self.ids = ids
        self.table = table
        self.output = output
    }
}

/// Root-mean-square normalisation, `y = x / sqrt(mean(x^2) + epsilon) * weight`
/// (Zhang and Sennrich, arXiv 1910.07467), of every group of `columns / groups` neighbouring columns.
public struct RMSNorm: Sendable {
    /// `[batch, tokens, groups * width]`.
    public var input: TensorView
    /// `[batch, 1, width]` of f32.
    public var weight: Tensor
    /// One for a layer's norm, the number of heads for Qwen3's norms of queries and keys.
    public var groups: Int
    public var epsilon: Float
    /// As `input`; may be the same memory.
    public var output: TensorView

    public init(input: TensorView, weight: Tensor, groups: Int, epsilon: Float, output: TensorView) {
        self.input = input
        self.weight = weight
        self.groups = groups
        self.epsilon = epsilon
        self.output = output
    }
}

/// What a `Linear` does to each sum before it adds the residual.
public enum Activation: UInt32, Sendable {
    case none = 0
    /// The exact one, `x * (1 + erf(x / sqrt(2))) / 2`.
    case gelu = 1
}

/// `output = activation(input * weight^T + bias) + residual`, for each matrix of the batch.
public struct Linear: Sendable {
    /// `[batch, tokens, inputs]`.
    public var input: TensorView
    /// `[batch, outputs, inputs]` of any weight type.
    public var weight: Tensor
    /// `[batch, 1, outputs]` of f32.
    public var bias: Tensor?
    public var activation: Activation
    /// `[batch, tokens, outputs]`; may be the same memory as `output`.
    public var residual: TensorView?
    /// `[batch, tokens, outputs]`.
    public var output: TensorView

    public init(
        input: TensorView, weight: Tensor, bias: Tensor? = nil, activation: Activation, residual: TensorView? = nil,
        output: TensorView
    ) {
        self.input = input
        self.weight = weight
        self.bias = bias
        self.activation = activation
        self.residual = residual
        self.output = output
    }
}

/// Rotary position embedding (Su et al., arXiv 2104.09864) in the half-split form of Hugging Face's models:
/// within a head, `(a, b) = (x[i], x[i + D/2])` becomes `(a cos - b sin, b cos + a sin)`.
public struct RoPE: Sendable {
    /// `[1, tokens, heads * headDim]`.
    public var input: TensorView
    public var headDim: Int
    /// `[1, capacity, headDim]` of f32: row p holds D/2 cosines, then D/2 sines, of position p.
    public var table: Tensor
    /// One u32: the position of the first token.
    public var position: TensorView
    /// As `input`; may be the same memory.
    public var output: TensorView

    public init(input: TensorView, headDim: Int, table: Tensor, position: TensorView, output: TensorView) {
        self.input = input
        self.headDim = headDim
        self.table = table
        self.position = position
        self.output = output
    }
}

/// Causal grouped-query attention over a KV-cache:
/// token t sees the cache's rows `0 ... position + t`; head h reads KV head `h / (heads / kvHeads)`.
public struct Attention: Sendable {
    /// `[1, tokens, heads * headDim]`, after RoPE.
    public var queries: TensorView
    /// `[kvHeads, capacity, headDim]`, after RoPE.
    public var keys: Tensor
    /// `[kvHeads, capacity, headDim]`.
    public var values: Tensor
    public var heads: Int
    /// What the products of queries and keys are multiplied with, usually `1 / sqrt(headDim)`.
    public var scale: Float
    /// One u32: the cache row of the first token.
    public var position: TensorView
    /// Which token from there on the queries' first one is.
    public var firstToken: Int
    /// `[1, 1, capacity]` of u32: rows where it is 1 are seen by no token. A token that sees no row at all gets zeros.
    public var padding: Tensor?
    /// `[1, tokens, heads * headDim]`.
    public var output: TensorView

    public init(
        queries: TensorView, keys: Tensor, values: Tensor, heads: Int, scale: Float, position: TensorView,
        firstToken: Int = 0, padding: Tensor? = nil, output: TensorView
    ) {
        self.queries = queries
        self.keys = keys
        self.values = values
        self.heads = heads
        self.scale = scale
        self.position = position
        self.firstToken = firstToken
        self.padding = padding
        self.output = output
    }
}

/// `output = silu(gate) * up`, with gate and up side by side in `input` (Shazeer, arXiv 2002.05202).
public struct SwiGLU: Sendable {
    /// `[1, tokens, 2 * width]`: the gate's columns, then up's.
    public var input: TensorView
    /// `[1, tokens, width]`.
    public var output: TensorView

    public init(input: TensorView, output: TensorView) {
        self.input = input
        self.output = output
    }
}

/// Reads cache rows `position ..< position + tokens` into token-major order, head h at columns `h * headDim`.
public struct CacheRead: Sendable {
    /// `[kvHeads, capacity, headDim]`.
    public var cache: Tensor
    /// One u32: the first row.
    public var position: TensorView
    /// `[1, tokens, kvHeads * headDim]`.
    public var output: TensorView

    public init(cache: Tensor, position: TensorView, output: TensorView) {
        self.cache = cache
        self.position = position
        self.output = output
    }
}

/// Writes cache rows `position ..< position + tokens`, rounding to the cache's type (ties to even).
///
/// What the type has no room for is stored as NaN, and so is an infinity: a key of minus infinity would only be left out by
/// attention, and nobody would see that the answer is wrong.
public struct CacheWrite: Sendable {
    /// `[1, tokens, kvHeads * headDim]`.
    public var input: TensorView
    /// `[kvHeads, capacity, headDim]`.
    public var cache: Tensor
    /// One u32: the first row.
    public var position: TensorView

    public init(input: TensorView, cache: Tensor, position: TensorView) {
        self.input = input
        self.cache = cache
        self.position = position
    }
}

/// The last step of a C2C projector with an open gate, straight into the receiver's cache:
/// `cache[h, position + t, d] += sigmoid(scale[t, h]) * projected[t, h, d]`, stored as `CacheWrite` does.
public struct GatedAdd: Sendable {
    /// `[1, tokens, kvHeads * headDim]`.
    public var projected: TensorView
    /// `[1, tokens, kvHeads]`, before the sigmoid.
    public var scale: TensorView
    /// `[kvHeads, capacity, headDim]`, read and written.
    public var cache: Tensor
    /// One u32: the first row.
    public var position: TensorView

    public init(projected: TensorView, scale: TensorView, cache: Tensor, position: TensorView) {
        self.projected = projected
        self.scale = scale
        self.cache = cache
        self.position = position
    }
}

/// What is chosen where a logit is infinite or NaN: from such logits no choice is right.
public let noToken: UInt32 = .max

/// Greedy sampling: the index of the largest value of a row, the lowest one of equals; `noToken` where a value is infinite or
/// NaN.
public struct ArgMax: Sendable {
    /// `[1, 1, vocabulary]`.
    public var logits: TensorView
    /// One u32 that receives the index.
    public var token: TensorView
    /// `[1, 1, steps]` of u32: the index is also written to element `step`.
    public var log: Tensor
    /// One u32.
    public var step: TensorView

    public init(logits: TensorView, token: TensorView, log: Tensor, step: TensorView) {
        self.logits = logits
        self.token = token
        self.log = log
        self.step = step
    }
}

/// Lowers the logits of tokens that were seen, in this order: all by `presence`, by `frequency` for each time, and then
/// divided by `repetition` where positive, multiplied with it where not (Keskar et al., arXiv 1909.05858).
public struct Penalize: Sendable {
    /// `[1, 1, vocabulary]`, read and written.
    public var logits: TensorView
    /// `[1, 1, vocabulary]` of u32: how often each token was seen.
    public var counts: Tensor
    public var presence: Float
    public var frequency: Float
    public var repetition: Float

    public init(logits: TensorView, counts: Tensor, presence: Float, frequency: Float, repetition: Float) {
        self.logits = logits
        self.counts = counts
        self.presence = presence
        self.frequency = frequency
        self.repetition = repetition
    }
}

/// Draws a token at random from what temperature, top-k, top-p and min-p leave, in this order, with
/// `weight = exp((logit - largest) / temperature)`.
///
/// Equals, and the token for a random number, are taken in the order of their ids. Where a logit is infinite or NaN, `noToken` is
/// drawn, and the weights are undefined.
public struct Sample: Sendable {
    /// `[1, 1, vocabulary]`.
    public var logits: TensorView
    public var temperature: Float
    /// Keeps this many of the largest logits; nil keeps all.
    public var topK: Int?
    /// Keeps the largest weights while their sum is at most this share of all, and always the largest (Holtzman et al.,
    /// arXiv 1904.09751, without the token that crosses the limit); 1 keeps all.
    public var topP: Float
    /// Keeps weights of at least this share of the largest (Nguyen et al., arXiv 2407.01082).
    public var minP: Float
    /// Two u32, low word first.
    public var seed: TensorView
    /// One u32: which number of the seed's sequence is used, and where the token goes in the log.
    public var step: TensorView
    /// `[1, 1, vocabulary]` of f32: receives the weights, 0 for tokens that can't be drawn.
    public var weights: TensorView
    /// One u32 that receives the token.
    public var token: TensorView
    /// `[1, 1, steps]` of u32: the token is also written to element `step`.
    public var log: Tensor

    public init(
        logits: TensorView, temperature: Float, topK: Int?, topP: Float, minP: Float, seed: TensorView,
        step: TensorView, weights: TensorView, token: TensorView, log: Tensor
    ) {
        self.logits = logits
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.seed = seed
        self.step = step
        self.weights = weights
        self.token = token
        self.log = log
    }
}

/// Counts tokens as seen, each as often as it comes.
public struct Tally: Sendable {
    /// `[1, 1, tokens]` of u32; what is no token of the vocabulary isn't counted.
    public var tokens: TensorView
    /// One u32: how many of them are counted, from the first on; nil counts all.
    public var count: TensorView?
    /// `[1, 1, vocabulary]` of u32, read and written.
    public var counts: Tensor
    /// Whether nothing was seen before.
    public var startsAnew: Bool

    public init(tokens: TensorView, count: TensorView? = nil, counts: Tensor, startsAnew: Bool = false) {
        self.tokens = tokens
        self.count = count
        self.counts = counts
        self.startsAnew = startsAnew
    }
}

/// `flags[r] = 1` where an odd number of `bounds` is at most r, else 0: rows from the first bound up to the second, from the
/// third up to the fourth, and so on.
public struct FlagRows: Sendable {
    /// `[1, 1, most bounds]` of u32, in rising order.
    public var bounds: TensorView
    /// One u32: how many there are.
    public var count: TensorView
    /// `[1, 1, rows]` of u32.
    public var flags: Tensor

    public init(bounds: TensorView, count: TensorView, flags: Tensor) {
        self.bounds = bounds
        self.count = count
        self.flags = flags
    }
}

/// `result[0] = max(result[0], |x|)` over all x of `input`, as the bits of float32, which have the numbers' order: infinity above
/// every number, NaN above infinity. `result[1]` becomes the largest of what it was and the complement of the column of any x
/// that is no number; so, from zero on, it tells the first such column.
public struct Magnitude: Sendable {
    /// `[batch, rows, columns]`.
    public var input: TensorView
    /// Two u32, read and written.
    public var result: TensorView

    public init(input: TensorView, result: TensorView) {
        self.input = input
        self.result = result
    }
}

/// Adds `amount` to a u32. It lets a recorded graph be replayed for the next token without the host.
public struct Advance: Sendable {
    public var counter: TensorView
    public var amount: Int

    public init(counter: TensorView, amount: Int) {
        self.counter = counter
        self.amount = amount
    }
}
