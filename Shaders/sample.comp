// Draws a token: softmax with temperature, the K largest logits, the likeliest of cumulative probability up to P, those not much
// less likely than the likeliest, and one of what is left at random. See `sample.glsl`.
//
// One workgroup for a small vocabulary (WHOLE). Where K is small and the vocabulary is not, the row is cut into slices, a
// workgroup each, that leave their K largest logits as candidates (SLICE), from which one workgroup draws (PICK). For a large
// vocabulary without a small K see `sample_slices.comp`.
//
// A lane has neighbouring columns, the next lane the next ones, so equals are taken in the order of columns, and no lane reads
// what another wrote to memory.
//
// variant STAGE: WHOLE SLICE PICK
#version 460
#include "sample.glsl"

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

const uint NONE = 0xffffffffu;
const uint STRANGE = 0xfffffffeu;  // what a slice leaves first where it has a logit that is infinite or NaN

// What this workgroup chooses among, and this lane's part of it.
#if defined(STAGE_SLICE)
layout(constant_id = 0) const uint SLICE_LENGTH = 1;
shared float sliceLogits[SLICE_LENGTH];
const uint DROPPED = 0x7fc00000u;  // no logit's bits: one that is NaN ends all choice
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
    return floatBitsToUint(sliceLogits[i]) == DROPPED ? 0.0 : 1.0;
#else
    return weights[weightsOffset + columnAt(i)];
#endif
}

void drop(uint i) {
#ifdef STAGE_SLICE
    sliceLogits[i] = uintBitsToFloat(DROPPED);
#else
    weights[weightsOffset + columnAt(i)] = 0.0;
#endif
}

bool exists(uint i) {
#ifdef STAGE_PICK
    return candidates[i] < STRANGE;
#else
    return true;
#endif
}

// What is larger for what is to stay: by sum a weight, 0 for what was dropped, else a logit.
uint keyAt(uint i, bool bySum) {
    return bySum ? floatBitsToUint(weightAt(i)) : orderedBits(logitAt(i));
}

// Drops all but the largest logits whose number, or largest weights whose sum, stays within `limit`; of equal ones the first.
// The largest always stays.
void keepLargest(float limit, bool bySum) {
    Smallest smallest = Smallest(limit, 0, 0.0);
    for (int digit = TOP_DIGIT; digit >= 0; digit--) {
        clearBins();
        for (uint i = ownFirst(); i < ownEnd(); i++) {
            if (!exists(i)) continue;
            uint key = keyAt(i, bySum);
            addKey(key, smallest.key, digit, bySum ? uintBitsToFloat(key) : 1.0);
        }
        addBins();
        chooseDigit(smallest);
    }
    float equals = equalsThatStay(smallest, bySum ? uintBitsToFloat(smallest.key) : 1.0);

    float own = 0.0;
    for (uint i = ownFirst(); i < ownEnd(); i++) if (exists(i) && keyAt(i, bySum) == smallest.key) own += 1.0;
    float rank = sumsOfLanes(own).before;
    for (uint i = ownFirst(); i < ownEnd(); i++) {
        if (!exists(i)) continue;
        uint key = keyAt(i, bySum);
        if (key > smallest.key) continue;
        bool stays = key == smallest.key && rank < equals;
        if (key == smallest.key) rank += 1.0;
        if (!stays) drop(i);
    }
}

#ifdef STAGE_SLICE
void main() {
    if (gl_LocalInvocationID.x == 0) strange = 0;
    barrier();
    for (uint i = ownFirst(); i < ownEnd(); i++) {
        sliceLogits[i] = logits[logitsOffset + columnAt(i)];
        weights[weightsOffset + columnAt(i)] = 0.0;
        if (isStrange(sliceLogits[i])) strange = 1;
    }
    uint room = min(topK, count());
    keepLargest(float(room), false);
    float own = 0.0;
    for (uint i = ownFirst(); i < ownEnd(); i++) own += weightAt(i);
    Sums sums = sumsOfLanes(own);
    uint at = uint(sums.before);
    uint first = gl_WorkGroupID.x * topK;
    for (uint i = ownFirst(); i < ownEnd(); i++) {
        if (weightAt(i) == 0.0) continue;
        candidates[first + at] = columnAt(i);
        at++;
    }
    for (uint i = uint(sums.total) + gl_LocalInvocationID.x; i < topK; i += LANES) candidates[first + i] = NONE;
    barrier();
    if (gl_LocalInvocationID.x == 0 && strange != 0) candidates[first] = STRANGE;
}
#else
void main() {
    if (gl_LocalInvocationID.x == 0) strange = 0;
    barrier();
    float largest = LOWEST;
    for (uint i = ownFirst(); i < ownEnd(); i++) {
#ifdef STAGE_PICK
        if (candidates[i] == STRANGE) strange = 1;
#else
        if (isStrange(logitAt(i))) strange = 1;
#endif
        if (exists(i)) largest = max(largest, logitAt(i));
    }
    largest = largestOfLanes(largest);
    for (uint i = ownFirst(); i < ownEnd(); i++)
        if (exists(i)) weights[weightsOffset + columnAt(i)] = exp((logitAt(i) - largest) / temperature);

    if (topK < columns) keepLargest(float(topK), false);
    if (topP < 1.0) {
        float sum = 0.0;
        for (uint i = ownFirst(); i < ownEnd(); i++) if (exists(i)) sum += weightAt(i);
        keepLargest(topP * sumsOfLanes(sum).total, true);
    }

    float own = 0.0;
    for (uint i = ownFirst(); i < ownEnd(); i++) {
        if (!exists(i)) continue;
        // The likeliest token's weight is 1.
        if (weightAt(i) < minP) drop(i);
        else own += weightAt(i);
    }
    Sums sums = sumsOfLanes(own);
    uint step_ = steps[stepOffset];
    float target = uniformNumber(uvec2(seeds[seedOffset], seeds[seedOffset + 1]), step_) * sums.total;
    if (!isDrawn(own, sums.before, target)) return;
    uint token = strange != 0 ? NO_TOKEN : 0;
    float reached = sums.before;
    for (uint i = ownFirst(); i < ownEnd(); i++) {
        float weight = exists(i) ? weightAt(i) : 0.0;
        if (strange == 0 && weight > 0.0 && reached <= target) token = columnAt(i);
        reached += weight;
    }
    tokens[tokenOffset] = token;
    if (step_ < logColumns) log_[step_] = token;
}
#endif
