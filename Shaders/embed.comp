// Looks token ids up in an embedding table: output[t] = table[ids[t]].
//
// A table larger than the device can bind is given in windows of rows; each writes the tokens it holds.
//
// variant TYPE: F32 F16 BF16 Q8_0 Q4_0
#version 460
#define MAY_INTERLEAVE
#include "types.glsl"

layout(local_size_x = 32) in;

layout(set = 0, binding = 0) readonly buffer Ids { uint ids[]; };
layout(set = 0, binding = 1) readonly buffer Table { Eight table[]; };
#ifdef QUANTIZED
layout(set = 0, binding = 1) readonly buffer Scales { uint tableScales[]; };
#endif
layout(set = 0, binding = 2) writeonly buffer Output { float outputs[]; };

layout(push_constant) uniform Arguments {
    uint columns;
    uint idsOffset;
    uint firstRow;        // of the window
    uint windowRows;
    uint tableRows;       // in all windows
    uint tableOffset;     // in eights or, quantized, units, as the next one
    uint tableRowStride;
    uint outputOffset;
    uint outputRowStride;
};

void main() {
    uint first = gl_GlobalInvocationID.x * 8;
    uint token = gl_WorkGroupID.y;
    if (first >= columns) return;

    uint id = ids[idsOffset + token];
    vec4 low = vec4(0);
    vec4 high = vec4(0);
    if (id >= firstRow && id - firstRow < windowRows) {
        uint row = tableOffset + ROW(id - firstRow, tableRowStride);
        LOAD8_OF_ROW(table, row, gl_GlobalInvocationID.x, low, high)
    } else if (id < tableRows || firstRow != 0) {
        return;
    }
    float values[8] = float[8](low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w);
    uint count = min(columns - first, 8u);
    for (uint i = 0; i < count; i++) outputs[outputOffset + token * outputRowStride + first + i] = values[i];
}
