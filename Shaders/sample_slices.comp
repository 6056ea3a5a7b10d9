// Draws a token from a large vocabulary, where there is no small K: see `sample.glsl`. The row is cut into slices, a workgroup
// each and no more of them than a workgroup has lanes, and each launch starts from what all slices left in the one before:
//
//   MAX     the largest logit of each slice
//   WEIGHT  weights, as all slices' largest logits are known
//   DIGIT   for each limit and digit: the digit above is chosen, and bins are made of this one
//   DROP    for each limit: the last digit is chosen, and what does not stay is dropped
//   DRAW    one workgroup: the slice, and the token in it
//
// WEIGHT and DROP leave bins of the first digit where a limit comes next, and else sums to draw from. All workgroups of a
// launch choose the same digit, each for itself.
//
// Neighbouring lanes take neighbouring columns, to load whole lines. Only where the order of columns matters, among equals and in
// the draw, has a lane neighbouring ones.
//
// variant STAGE: MAX WEIGHT DIGIT DROP DRAW
#version 460
#include "sample.glsl"

struct SliceResult {
    float largest;
    uint strange;                     // whether a logit is infinite or NaN
    float sum;                        // of weights, to draw from
    float bins[TOP_DIGIT + 1][BINS];  // by digit
};

layout(set = 0, binding = 0) buffer Work {
    Smallest smallests[TOP_DIGIT + 1];  // by the lowest digit that is known
    SliceResult results[];
};
#ifdef STAGE_DRAW
layout(set = 0, binding = 1) readonly buffer Weights { float weights[]; };
layout(set = 0, binding = 2) readonly buffer Seed { uint seeds[]; };
layout(set = 0, binding = 3) readonly buffer Step { uint steps[]; };
layout(set = 0, binding = 4) writeonly buffer Token { uint tokens[]; };
layout(set = 0, binding = 5) writeonly buffer Log { uint log_[]; };
#else
layout(set = 0, binding = 1) readonly buffer Logits { float logits[]; };
layout(set = 0, binding = 2) buffer Weights { float weights[]; };  // not in MAX
#endif

// Limits.
const uint NONE = 0;
const uint TOP_K = 1;  // on the number of the largest logits
const uint TOP_P = 2;  // on the sum of the largest weights, as a share of all

layout(push_constant) uniform Arguments {
    uint columns;
    uint slices;
    uint sliceLength;
    uint logitsOffset;
    uint weightsOffset;
    float temperature;
    uint topK;
    float topP;
    float minP;
    uint limit;  // in DIGIT and DROP
    int digit;   // in DIGIT
    uint next;   // the limit after WEIGHT or DROP
    uint seedOffset;
    uint stepOffset;
    uint tokenOffset;
    uint logColumns;
};

uint firstOf(uint slice) { return slice * sliceLength; }
uint endOf(uint slice) { return min(firstOf(slice) + sliceLength, columns); }

// This lane's columns of a slice, where their order matters.
uint ownLength() { return (sliceLength + LANES - 1) / LANES; }
uint ownFirst(uint slice) { return min(firstOf(slice) + gl_LocalInvocationID.x * ownLength(), endOf(slice)); }
uint ownEnd(uint slice) { return min(ownFirst(slice) + ownLength(), endOf(slice)); }

#if defined(STAGE_MAX)
void main() {
    uint lane = gl_LocalInvocationID.x;
    uint slice = gl_WorkGroupID.x;
    if (lane == 0) strange = 0;
    barrier();
    float largest = LOWEST;
    for (uint i = firstOf(slice) + lane; i < endOf(slice); i += LANES) {
        float logit = logits[logitsOffset + i];
        if (isStrange(logit)) strange = 1;
        largest = max(largest, logit);
    }
    largest = largestOfLanes(largest);
    if (lane == 0) {
        results[slice].largest = largest;
        results[slice].strange = strange;
    }
}
#elif defined(STAGE_DRAW)
shared float targetInSlice;

void main() {
    uint lane = gl_LocalInvocationID.x;
    if (lane == 0) strange = 0;
    barrier();
    if (lane < slices && results[lane].strange != 0) strange = 1;
    float own = lane < slices ? results[lane].sum : 0.0;
    Sums sums = sumsOfLanes(own);
    uint step_ = steps[stepOffset];
    float target = uniformNumber(uvec2(seeds[seedOffset], seeds[seedOffset + 1]), step_) * sums.total;
    if (isDrawn(own, sums.before, target)) targetInSlice = target - sums.before;
    uint slice = drawnLane;

    own = 0.0;
    for (uint i = ownFirst(slice); i < ownEnd(slice); i++) own += weights[weightsOffset + i];
    float reached = sumsOfLanes(own).before;
    if (!isDrawn(own, reached, targetInSlice)) return;
    uint token = strange != 0 ? NO_TOKEN : 0;
    for (uint i = ownFirst(slice); i < ownEnd(slice); i++) {
        float weight = weights[weightsOffset + i];
        if (strange == 0 && weight > 0.0 && reached <= targetInSlice) token = i;
        reached += weight;
    }
    tokens[tokenOffset] = token;
    if (step_ < logColumns) log_[step_] = token;
}
#else
// What is larger for what is to stay. A weight is 0 if it was dropped.
uint keyAt(uint i, uint limit) {
    return limit == TOP_P ? floatBitsToUint(weights[weightsOffset + i]) : orderedBits(logits[logitsOffset + i]);
}

// What a key adds up to.
float amountOf(uint key, uint limit) { return limit == TOP_P ? uintBitsToFloat(key) : 1.0; }

void leaveBins(uint limit, int digit, uint smallest) {
    uint lane = gl_LocalInvocationID.x;
    uint slice = gl_WorkGroupID.x;
    clearBins();
    for (uint i = firstOf(slice) + lane; i < endOf(slice); i += LANES) {
        uint key = keyAt(i, limit);
        addKey(key, smallest, digit, amountOf(key, limit));
    }
    addBins();
    if (lane < BINS) results[slice].bins[digit][lane] = totals[lane];
}

// What the next launch needs.
void leave() {
    if (next != NONE) {
        leaveBins(next, TOP_DIGIT, 0);
        return;
    }
    uint lane = gl_LocalInvocationID.x;
    uint slice = gl_WorkGroupID.x;
    float own = 0.0;
    for (uint i = firstOf(slice) + lane; i < endOf(slice); i += LANES) {
        float weight = weights[weightsOffset + i];
        // The likeliest token's weight is 1.
        if (weight < minP) weights[weightsOffset + i] = 0.0;
        else own += weight;
    }
    float sum = sumsOfLanes(own).total;
    if (lane == 0) results[slice].sum = sum;
}

// Chooses a digit by the bins of all slices.
Smallest smallestTo(int digit) {
    uint lane = gl_LocalInvocationID.x;
    float part = 0.0;
    for (uint i = lane / BINS; i < slices; i += LANES / BINS) part += results[i].bins[digit][lane % BINS];
    addTotals(part);
    Smallest smallest = Smallest(float(topK), 0, 0.0);
    if (digit < TOP_DIGIT) {
        smallest = smallests[digit + 1];
    } else if (limit == TOP_P) {
        float sum = 0.0;
        for (uint bin = 0; bin < BINS; bin++) sum += totals[bin];
        smallest.limit = topP * sum;
    }
    chooseDigit(smallest);
    return smallest;
}

#if defined(STAGE_WEIGHT)
void main() {
    uint lane = gl_LocalInvocationID.x;
    uint slice = gl_WorkGroupID.x;
    float largest = largestOfLanes(lane < slices ? results[lane].largest : LOWEST);
    for (uint i = firstOf(slice) + lane; i < endOf(slice); i += LANES)
        weights[weightsOffset + i] = exp((logits[logitsOffset + i] - largest) / temperature);
    leave();
}
#elif defined(STAGE_DIGIT)
void main() {
    Smallest smallest = smallestTo(digit + 1);
    if (gl_WorkGroupID.x == 0 && gl_LocalInvocationID.x == 0) smallests[digit + 1] = smallest;
    leaveBins(limit, digit, smallest.key);
}
#else
shared float room;
shared uint firstDropped;

// The column from which on keys that equal the smallest are dropped.
uint firstDroppedEqual(Smallest smallest) {
    uint lane = gl_LocalInvocationID.x;
    uint slice = gl_WorkGroupID.x;
    // A bin of the last digit has but one key, so its sum tells how often.
    float amount = amountOf(smallest.key, limit);
    float equals = 0.0;
    if (lane < slices && amount > 0.0) equals = round(results[lane].bins[0][smallest.key % BINS] / amount);
    float before = sumsOfLanes(equals).before;
    if (lane == slice) {
        room = max(equalsThatStay(smallest, amount) - before, 0.0);
        firstDropped = endOf(slice);
    }

    float own = 0.0;
    for (uint i = ownFirst(slice); i < ownEnd(slice); i++) if (keyAt(i, limit) == smallest.key) own += 1.0;
    float rank = sumsOfLanes(own).before;
    for (uint i = ownFirst(slice); i < ownEnd(slice); i++) {
        if (keyAt(i, limit) != smallest.key) continue;
        if (rank == room) firstDropped = i;
        rank += 1.0;
    }
    barrier();
    return firstDropped;
}

void main() {
    uint slice = gl_WorkGroupID.x;
    Smallest smallest = smallestTo(0);
    uint end = firstDroppedEqual(smallest);
    for (uint i = firstOf(slice) + gl_LocalInvocationID.x; i < endOf(slice); i += LANES) {
        uint key = keyAt(i, limit);
        if (key < smallest.key || key == smallest.key && i >= end) weights[weightsOffset + i] = 0.0;
    }
    leave();
}
#endif
#endif
