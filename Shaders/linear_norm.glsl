// A product's input may be taken as the RMS norm (see `rms_norm.comp`) of what is bound: its factor is that of a whole row, so the
// sums are multiplied with it at the end.

layout(constant_id = 1) const bool NORMALISES = false;

layout(set = 0, binding = 5) readonly buffer Norm { vec4 normWeights[]; };

// Activations 8k ... 8k + 7 of the token at `at`; zeros where k is past the last eight.
void loadActivations(uint at, uint k, inout float squares, out vec4 low, out vec4 high) {
    uint place = 2 * min(k, (columns - 1) / 8);
    low = withinColumns(INPUT(at + place), 2 * k);
    high = withinColumns(INPUT(at + place + 1), 2 * k + 1);
    if (NORMALISES) {
        squares += dot(low, low) + dot(high, high);
        low *= normWeights[place];
        high *= normWeights[place + 1];
    }
}

// The norm's factor, or 1, by the sum of a row's squares.
float factorOfNorm(float squares) { return NORMALISES ? 1.0 / sqrt(squares / float(columns) + epsilon) : 1.0; }
