// What kernels that draw a token share. There is no sort: a limit on the number of the largest logits, or on the sum of the
// largest weights, becomes the bits of the smallest one that stays, a digit of four bits at a time from the top.
//
// What lanes add up is taken in a fixed order, in blocks of lanes and then over the blocks, so results repeat.

layout(local_size_x = 128) in;

#include "no_token.glsl"

const uint LANES = gl_WorkGroupSize.x;
const uint BLOCK = 16;                    // of lanes
const uint BLOCKS = LANES / BLOCK;
const uint BINS = 16;                     // one for each value of a digit
const uint BIN_STRIDE = LANES + 1;        // lanes that add up different bins read different banks
const int TOP_DIGIT = 7;                  // digits count from the lowest
const float LOWEST = -3.402823466e38;

// Each function that reads `lanes` ends with all reads of it done.
shared float lanes[LANES];
shared float blocks[BLOCKS];
shared float bins[BINS * BIN_STRIDE];
shared float totals[BINS];
shared uint drawnLane;
shared uint strange;  // whether there is nothing to draw from: a lane saw a logit that is infinite or NaN, as `isStrange` says

// Numbers without sign in the order of the floats; zeros of both signs are equal.
uint orderedBits(float value) {
    uint bits = floatBitsToUint(value + 0.0);
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

float largestOfLanes(float value) {
    uint lane = gl_LocalInvocationID.x;
    lanes[lane] = value;
    barrier();
    for (uint i = 0; i < BLOCK; i++) value = max(value, lanes[lane - lane % BLOCK + i]);
    if (lane % BLOCK == 0) blocks[lane / BLOCK] = value;
    barrier();
    for (uint i = 0; i < BLOCKS; i++) value = max(value, blocks[i]);
    return value;
}

// The sums over all lanes, and over those before this one.
struct Sums {
    float total;
    float before;
};

// Sums before a lane never fall from one lane to the next.
Sums sumsOfLanes(float value) {
    uint lane = gl_LocalInvocationID.x;
    lanes[lane] = value;
    barrier();
    float block = 0.0;
    float before = 0.0;
    for (uint i = 0; i < BLOCK; i++) {
        if (i == lane % BLOCK) before = block;
        block += lanes[lane - lane % BLOCK + i];
    }
    if (lane % BLOCK == 0) blocks[lane / BLOCK] = block;
    barrier();
    float total = 0.0;
    for (uint i = 0; i < BLOCKS; i++) {
        if (i == lane / BLOCK) before += total;
        total += blocks[i];
    }
    return Sums(total, before);
}

// The smallest key that stays, of which digits are known from the top on, and what those above it add up to.
struct Smallest {
    float limit;  // on what all that stay add up to
    uint key;
    float taken;
};

void clearBins() {
    for (uint bin = 0; bin < BINS; bin++) bins[bin * BIN_STRIDE + gl_LocalInvocationID.x] = 0.0;
}

// For the bins of a digit. `smallest` is what is known from the digits above.
void addKey(uint key, uint smallest, int digit, float amount) {
    if (digit == TOP_DIGIT || key >> (4 * digit + 4) == smallest)
        bins[(key >> (4 * digit) & 15u) * BIN_STRIDE + gl_LocalInvocationID.x] += amount;
}

// Makes `totals` of what each lane knows of bin `lane % BINS`.
void addTotals(float part) {
    uint lane = gl_LocalInvocationID.x;
    lanes[lane] = part;
    barrier();
    if (lane < BINS) {
        float total = 0.0;
        for (uint i = lane; i < LANES; i += BINS) total += lanes[i];
        totals[lane] = total;
    }
    barrier();
}

// Makes `totals` of all lanes' bins.
void addBins() {
    uint lane = gl_LocalInvocationID.x;
    barrier();
    float part = 0.0;
    for (uint i = 0; i < BINS; i++) part += bins[lane % BINS * BIN_STRIDE + lane / BINS * BINS + i];
    addTotals(part);
}

// Appends the digit that `totals` are of.
void chooseDigit(inout Smallest smallest) {
    uint digit = BINS - 1;
    while (digit > 0 && smallest.taken + totals[digit] <= smallest.limit) {
        smallest.taken += totals[digit];
        digit--;
    }
    smallest.key = smallest.key << 4 | digit;
}

// How many keys that equal the smallest stay, once all its digits are known; each adds `amount`. The largest key always stays.
float equalsThatStay(Smallest smallest, float amount) {
    float equals = amount > 0.0 ? floor(max(smallest.limit - smallest.taken, 0.0) / amount) : 0.0;
    return smallest.taken == 0.0 ? max(equals, 1.0) : equals;
}

// Philox 4x32-10 (Salmon et al., SC 2011): a random number that depends only on seed and step.
float uniformNumber(uvec2 key, uint step_) {
    uvec4 counter = uvec4(step_, 0, 0, 0);
    for (int round_ = 0; round_ < 10; round_++) {
        uint high0, low0, high1, low1;
        umulExtended(0xD2511F53u, counter.x, high0, low0);
        umulExtended(0xCD9E8D57u, counter.z, high1, low1);
        counter = uvec4(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key += uvec2(0x9E3779B9u, 0xBB67AE85u);
    }
    return float(counter.x >> 8) * (1.0 / 16777216.0);
}

// Whether `target` falls in this lane's share of a sum. By rounding it may fall behind the last share, which takes it then.
bool isDrawn(float own, float before, float target) {
    uint lane = gl_LocalInvocationID.x;
    if (lane == 0) drawnLane = 0;
    barrier();
    if (own > 0.0 && before <= target) atomicMax(drawnLane, lane);
    barrier();
    return lane == drawnLane;
}
