// Draws a token: softmax with temperature, the K likeliest, those of cumulative probability up to P, those not much less
// likely than the likeliest, and one of what is left at random.
//
// One workgroup. A lane works on the columns `lane + 128 j` in every pass, so no lane reads what another wrote to memory.
// There is no sort: a limit on the number or the sum of the largest weights becomes the bits of the smallest weight kept,
// four at a time from the top (positive floats are ordered as their bits are).
#version 460

layout(local_size_x = 128) in;

layout(set = 0, binding = 0) readonly buffer Logits { float logits[]; };
layout(set = 0, binding = 1) readonly buffer Seed { uint seeds[]; };
layout(set = 0, binding = 2) readonly buffer Step { uint steps[]; };
layout(set = 0, binding = 3) buffer Weights { float weights[]; };
layout(set = 0, binding = 4) writeonly buffer Token { uint tokens[]; };
layout(set = 0, binding = 5) writeonly buffer Log { uint log_[]; };

layout(push_constant) uniform Arguments {
    uint columns;
    uint logitsOffset;
    uint seedOffset;
    uint stepOffset;
    uint weightsOffset;
    uint tokenOffset;
    uint logColumns;
    float temperature;
    uint topK;  // `columns` for all
    float topP;  // 1 for all
    float minP;
};

const uint LANES = gl_WorkGroupSize.x;
const uint DIGITS = 16;

shared float bins[DIGITS * LANES];
shared float totals[DIGITS];
shared float lanes[LANES];
shared uint chosenDigit;
shared float takenSoFar;

// The sum over all lanes, taken in their order.
float sumOfLanes(float value) {
    uint lane = gl_LocalInvocationID.x;
    barrier();
    lanes[lane] = value;
    barrier();
    float sum = 0.0;
    for (uint i = 0; i < LANES; i++) sum += lanes[i];
    return sum;
}

// The sum over the lanes before this one, of what `sumOfLanes` was last given.
float sumOfLanesBefore() {
    float sum = 0.0;
    for (uint i = 0; i < gl_LocalInvocationID.x; i++) sum += lanes[i];
    return sum;
}

// Drops all but the largest weights whose number, or sum, stays within `limit`; of equal ones the first, in the order of
// lanes. The largest weight always stays.
void keepLargest(float limit, bool bySum) {
    uint lane = gl_LocalInvocationID.x;
    uint prefix = 0;
    float taken = 0.0;
    for (int shift = 28; shift >= 0; shift -= 4) {
        for (uint digit = 0; digit < DIGITS; digit++) bins[digit * LANES + lane] = 0.0;
        for (uint i = lane; i < columns; i += LANES) {
            float weight = weights[weightsOffset + i];
            uint key = floatBitsToUint(weight);
            bool isCandidate = shift == 28 || key >> (shift + 4) == prefix;
            if (weight > 0.0 && isCandidate) bins[(key >> shift & 15u) * LANES + lane] += bySum ? weight : 1.0;
        }
        barrier();
        if (lane < DIGITS) {
            float total = 0.0;
            for (uint i = 0; i < LANES; i++) total += bins[lane * LANES + i];
            totals[lane] = total;
        }
        barrier();
        if (lane == 0) {
            uint digit = DIGITS - 1;
            while (digit > 0 && taken + totals[digit] <= limit) {
                taken += totals[digit];
                digit--;
            }
            chosenDigit = digit;
            takenSoFar = taken;
        }
        barrier();
        prefix = prefix << 4 | chosenDigit;
        taken = takenSoFar;
    }
    float smallest = uintBitsToFloat(prefix);
    float room = max(limit - taken, 0.0);
    float equals = bySum ? (smallest > 0.0 ? floor(room / smallest) : 0.0) : room;
    if (taken == 0.0) equals = max(equals, 1.0);

    float own = 0.0;
    for (uint i = lane; i < columns; i += LANES) {
        if (floatBitsToUint(weights[weightsOffset + i]) == prefix) own += 1.0;
    }
    sumOfLanes(own);
    float rank = sumOfLanesBefore();
    for (uint i = lane; i < columns; i += LANES) {
        uint key = floatBitsToUint(weights[weightsOffset + i]);
        if (key > prefix) continue;
        bool stays = key == prefix && rank < equals;
        if (key == prefix) rank += 1.0;
        if (!stays) weights[weightsOffset + i] = 0.0;
    }
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

void main() {
    uint lane = gl_LocalInvocationID.x;
    float largest = uintBitsToFloat(0xff800000u);
    for (uint i = lane; i < columns; i += LANES) largest = max(largest, logits[logitsOffset + i]);
    lanes[lane] = largest;
    barrier();
    for (uint i = 0; i < LANES; i++) largest = max(largest, lanes[i]);
    for (uint i = lane; i < columns; i += LANES) {
        weights[weightsOffset + i] = exp((logits[logitsOffset + i] - largest) / temperature);
    }

    if (topK < columns) keepLargest(float(topK), false);
    if (topP < 1.0) {
        float sum = 0.0;
        for (uint i = lane; i < columns; i += LANES) sum += weights[weightsOffset + i];
        keepLargest(topP * sumOfLanes(sum), true);
    }

    float own = 0.0;
    for (uint i = lane; i < columns; i += LANES) {
        float weight = weights[weightsOffset + i];
        // The likeliest token's weight is 1.
        if (weight < minP) weights[weightsOffset + i] = 0.0;
        else own += weight;
    }
    float total = sumOfLanes(own);
    float before = sumOfLanesBefore();
    uint step_ = steps[stepOffset];
    float target = uniformNumber(uvec2(seeds[seedOffset], seeds[seedOffset + 1]), step_) * total;

    // The lane whose share of the sum the target falls in; by rounding it may fall behind the last share.
    bool isChosen = own > 0.0 && before <= target;
    for (uint i = lane + 1; isChosen && i < LANES; i++) {
        if (lanes[i] > 0.0) {
            isChosen = target < before + own;
            break;
        }
    }
    if (!isChosen) return;
    float reached = before;
    uint token = 0;
    for (uint i = lane; i < columns; i += LANES) {
        float weight = weights[weightsOffset + i];
        if (weight > 0.0) {
            token = i;
            reached += weight;
            if (reached > target) break;
        }
    }
    tokens[tokenOffset] = token;
    if (step_ < logColumns) log_[step_] = token;
}
