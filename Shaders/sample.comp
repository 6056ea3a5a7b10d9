// Draws a token: softmax with temperature, the K largest logits, the likeliest of cumulative probability up to P, those not much
// less likely than the likeliest, and one of what is left at random.
//
// One workgroup (WHOLE). Where K is small and the vocabulary is not, the row is cut into slices, a workgroup each, that leave
// their K largest logits as candidates (SLICE), from which one workgroup draws (PICK).
//
// A lane has neighbouring columns, the next lane the next ones, so equals are taken in the order of columns, and no lane reads
// what another wrote to memory. There is no sort: a limit on the number of the largest, or on the sum of their weights, becomes
// the bits of the smallest logit kept, four at a time from the top.
//
// variant STAGE: WHOLE SLICE PICK
#version 460

layout(local_size_x = 128) in;

layout(set = 0, binding = 0) readonly buffer Logits { float logits[]; };
layout(set = 0, binding = 1) readonly buffer Seed { uint seeds[]; };
layout(set = 0, binding = 2) readonly buffer Step { uint steps[]; };
layout(set = 0, binding = 3) buffer Weights { float weights[]; };
layout(set = 0, binding = 4) writeonly buffer Token { uint tokens[]; };
layout(set = 0, binding = 5) writeonly buffer Log { uint log_[]; };
#ifndef STAGE_WHOLE
layout(set = 0, binding = 6) buffer Candidates { uint candidates[]; };  // columns
#endif

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
    uint slices;
};

const uint LANES = gl_WorkGroupSize.x;
const uint DIGITS = 16;
const uint NONE = 0xffffffffu;

shared float bins[DIGITS * LANES];
shared float totals[DIGITS];
shared float lanes[LANES];
shared uint chosenDigit;
shared float takenSoFar;

// What this workgroup chooses among, and this lane's part of it.
#if defined(STAGE_SLICE)
layout(constant_id = 0) const uint SLICE_LENGTH = 1;
shared float sliceLogits[SLICE_LENGTH];
uint firstColumn() { return gl_WorkGroupID.x * SLICE_LENGTH; }
uint count() { return min(columns - firstColumn(), SLICE_LENGTH); }
#elif defined(STAGE_PICK)
uint count() { return slices * topK; }
#else
uint count() { return columns; }
#endif

uint ownLength() { return (count() + LANES - 1) / LANES; }
uint ownFirst() { return min(gl_LocalInvocationID.x * ownLength(), count()); }
uint ownEnd() { return min(ownFirst() + ownLength(), count()); }

// The column at place i; of candidates NONE where a slice had fewer.
uint columnAt(uint i) {
#if defined(STAGE_SLICE)
    return firstColumn() + i;
#elif defined(STAGE_PICK)
    return candidates[i];
#else
    return i;
#endif
}

float logitAt(uint i) {
#ifdef STAGE_SLICE
    return sliceLogits[i];
#else
    return logits[logitsOffset + columnAt(i)];
#endif
}

// A slice chooses before weights are known.
float weightAt(uint i) {
#ifdef STAGE_SLICE
    return isnan(sliceLogits[i]) ? 0.0 : 1.0;
#else
    return weights[weightsOffset + columnAt(i)];
#endif
}

void drop(uint i) {
#ifdef STAGE_SLICE
    sliceLogits[i] = uintBitsToFloat(0x7fc00000u);
#else
    weights[weightsOffset + columnAt(i)] = 0.0;
#endif
}

bool exists(uint i) {
#ifdef STAGE_PICK
    return candidates[i] != NONE;
#else
    return true;
#endif
}

// Numbers without sign in the order of the floats; zeros of both signs are equal.
uint orderedBits(float value) {
    uint bits = floatBitsToUint(value + 0.0);
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

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

// What is larger for what is to stay: by sum a weight, 0 for what was dropped, else a logit.
uint keyAt(uint i, bool bySum) {
    return bySum ? floatBitsToUint(weightAt(i)) : orderedBits(logitAt(i));
}

// Drops all but the largest logits whose number, or largest weights whose sum, stays within `limit`; of equal ones the first.
// The largest always stays.
void keepLargest(float limit, bool bySum) {
    uint lane = gl_LocalInvocationID.x;
    uint prefix = 0;
    float taken = 0.0;
    for (int shift = 28; shift >= 0; shift -= 4) {
        for (uint digit = 0; digit < DIGITS; digit++) bins[digit * LANES + lane] = 0.0;
        for (uint i = ownFirst(); i < ownEnd(); i++) {
            if (!exists(i)) continue;
            uint key = keyAt(i, bySum);
            bool isCandidate = shift == 28 || key >> (shift + 4) == prefix;
            if (isCandidate) bins[(key >> shift & 15u) * LANES + lane] += bySum ? uintBitsToFloat(key) : 1.0;
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
    float smallest = bySum ? uintBitsToFloat(prefix) : 1.0;
    float equals = smallest > 0.0 ? floor(max(limit - taken, 0.0) / smallest) : 0.0;
    if (taken == 0.0) equals = max(equals, 1.0);

    float own = 0.0;
    for (uint i = ownFirst(); i < ownEnd(); i++) if (exists(i) && keyAt(i, bySum) == prefix) own += 1.0;
    sumOfLanes(own);
    float rank = sumOfLanesBefore();
    for (uint i = ownFirst(); i < ownEnd(); i++) {
        if (!exists(i)) continue;
        uint key = keyAt(i, bySum);
        if (key > prefix) continue;
        bool stays = key == prefix && rank < equals;
        if (key == prefix) rank += 1.0;
        if (!stays) drop(i);
    }
}

#ifdef STAGE_SLICE
void main() {
    for (uint i = ownFirst(); i < ownEnd(); i++) {
        sliceLogits[i] = logits[logitsOffset + columnAt(i)];
        weights[weightsOffset + columnAt(i)] = 0.0;
    }
    uint room = min(topK, count());
    keepLargest(float(room), false);
    float own = 0.0;
    for (uint i = ownFirst(); i < ownEnd(); i++) own += weightAt(i);
    uint left = uint(sumOfLanes(own));
    uint at = uint(sumOfLanesBefore());
    uint first = gl_WorkGroupID.x * topK;
    for (uint i = ownFirst(); i < ownEnd(); i++) {
        if (weightAt(i) == 0.0) continue;
        candidates[first + at] = columnAt(i);
        at++;
    }
    for (uint i = left + gl_LocalInvocationID.x; i < topK; i += LANES) candidates[first + i] = NONE;
}
#else
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
    for (uint i = ownFirst(); i < ownEnd(); i++) if (exists(i)) largest = max(largest, logitAt(i));
    lanes[lane] = largest;
    barrier();
    for (uint i = 0; i < LANES; i++) largest = max(largest, lanes[i]);
    for (uint i = ownFirst(); i < ownEnd(); i++)
        if (exists(i)) weights[weightsOffset + columnAt(i)] = exp((logitAt(i) - largest) / temperature);

    if (topK < columns) keepLargest(float(topK), false);
    if (topP < 1.0) {
        float sum = 0.0;
        for (uint i = ownFirst(); i < ownEnd(); i++) if (exists(i)) sum += weightAt(i);
        keepLargest(topP * sumOfLanes(sum), true);
    }

    float own = 0.0;
    for (uint i = ownFirst(); i < ownEnd(); i++) {
        if (!exists(i)) continue;
        // The likeliest token's weight is 1.
        if (weightAt(i) < minP) drop(i);
        else own += weightAt(i);
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
    for (uint i = ownFirst(); i < ownEnd(); i++) {
        float weight = exists(i) ? weightAt(i) : 0.0;
        if (weight > 0.0) {
            token = columnAt(i);
            reached += weight;
            if (reached > target) break;
        }
    }
    tokens[tokenOffset] = token;
    if (step_ < logColumns) log_[step_] = token;
}
#endif
