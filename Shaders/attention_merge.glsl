// How the workgroups that have the keys of one group of rows between them, each a slice of them, come to one result: each leaves
// its sums as a partial result, and the last one to be done merges all. For kernels that define ROWS, those of a workgroup.
#extension GL_KHR_memory_scope_semantics : require

const uint BATCH = 8;  // partial results that are loaded at once

// By row group and head, slice, and row: the sums of weighted values, relative to the row's maximum, then a four with that
// maximum and the sum of weights.
layout(set = 0, binding = 6) coherent buffer Partials { vec4 partials[]; };
// By row group and head: slices that are done. Zero before and after.
layout(set = 0, binding = 7) coherent buffer Counters { uint counters[]; };

shared bool isLastSlice;

// The keys of a workgroup's slice, of which there are `count`. How far the cache is filled is only known on the device: with few
// keys there are fewer slices than workgroups.
struct Slice {
    uint count;
    uint first;
    uint end;
};

Slice sliceOf(uint keyCount, uint blockKeys) {
    uint keys = (keyCount + gl_NumWorkGroups.z * blockKeys - 1) / (gl_NumWorkGroups.z * blockKeys) * blockKeys;
    uint first = gl_WorkGroupID.z * keys;
    return Slice((keyCount + keys - 1) / keys, first, min(first + keys, keyCount));
}

// Of the workgroup. The last rows see most keys, so they go first.
uint firstRow() { return (gl_NumWorkGroups.x - 1 - gl_WorkGroupID.x) * ROWS; }

uint groupIndex() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }

uint partialOf(uint slice, uint r) {
    return ((groupIndex() * gl_NumWorkGroups.z + slice) * ROWS + r) * (headDim / 4 + 1);
}

// A row's four of columns: `sum` of weighted values.
void storeOutput(uint row, uint four, vec4 sum, float weights) {
    if (row >= tokens * groupSize) return;
    vec4 value = weights == 0.0 ? vec4(0) : sum / weights;
    [[unroll]] for (uint i = 0; i < 4; i++) outputs[outputOf(row) + 4 * four + i] = value[i];
}

// Row r's four of columns of a slice, and the row's maximum and weights; for one invocation for each four.
void storeSum(Slice slice, uint r, uint four, vec4 sum, float maximum, float weights) {
    if (slice.count == 1) {
        storeOutput(firstRow() + r, four, sum, weights);
    } else {
        uint at = partialOf(gl_WorkGroupID.z, r);
        partials[at + four] = sum;
        if (four == 0) partials[at + headDim / 4] = vec4(maximum, weights, 0, 0);
    }
}

// Sums up slices in their order, whichever came last.
void mergeSum(uint sliceCount, uint r, uint four) {
    float maximum = LOWEST;
    float weights = 0.0;
    vec4 sum = vec4(0);
    for (uint first = 0; first < sliceCount; first += BATCH) {
        vec4 sums[BATCH];
        vec2 rows[BATCH];
        [[unroll]] for (uint b = 0; b < BATCH; b++) {
            uint at = partialOf(min(first + b, sliceCount - 1), r);
            sums[b] = partials[at + four];
            rows[b] = partials[at + headDim / 4].xy;
        }
        float last = maximum;
        [[unroll]] for (uint b = 0; b < BATCH; b++) maximum = max(maximum, rows[b].x);
        float correction = exp(last - maximum);
        sum *= correction;
        weights *= correction;
        [[unroll]] for (uint b = 0; b < BATCH; b++) {
            float weight = first + b < sliceCount ? exp(rows[b].x - maximum) : 0.0;
            sum += weight * sums[b];
            weights += weight * rows[b].y;
        }
    }
    storeOutput(firstRow() + r, four, sum, weights);
}

// To be called once all invocations have stored their sums.
void mergeSlices(Slice slice) {
    if (slice.count == 1) return;
    // All invocations of a workgroup release what they wrote before its first one counts, and acquire after it has: so the
    // workgroup that counts up to all slices sees what every other wrote. None waits for another workgroup, so it doesn't matter
    // which of them run at once.
    controlBarrier(gl_ScopeWorkgroup, gl_ScopeDevice, gl_StorageSemanticsBuffer, gl_SemanticsAcquireRelease);
    if (gl_LocalInvocationIndex == 0) {
        uint before = atomicAdd(
            counters[groupIndex()], 1, gl_ScopeDevice, gl_StorageSemanticsBuffer, gl_SemanticsAcquireRelease);
        isLastSlice = before == slice.count - 1;
        if (isLastSlice) counters[groupIndex()] = 0;
    }
    controlBarrier(
        gl_ScopeWorkgroup, gl_ScopeDevice, gl_StorageSemanticsBuffer | gl_StorageSemanticsShared,
        gl_SemanticsAcquireRelease);
    if (!isLastSlice) return;
    for (uint i = gl_LocalInvocationIndex; i < ROWS * (headDim / 4); i += gl_WorkGroupSize.x)
        mergeSum(slice.count, i / (headDim / 4), i % (headDim / 4));
}
