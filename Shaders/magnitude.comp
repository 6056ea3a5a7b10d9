// The largest magnitude among values, as bits, and the first column of one that is infinite or NaN: for the search of where
// numbers end.
#version 460

layout(local_size_x = 128) in;

layout(set = 0, binding = 0) readonly buffer Input { uint inputs[]; };  // the bits of float32
layout(set = 0, binding = 1) buffer Result { uint results[]; };

layout(push_constant) uniform Arguments {
    uint columns;
    uint inputOffset;
    uint inputRowStride;
    uint inputBatchStride;
    uint resultOffset;
};

shared uint largest;
shared uint strangeColumn;  // its complement, so that the largest is the first

void main() {
    if (gl_LocalInvocationID.x == 0) {
        largest = 0;
        strangeColumn = 0;
    }
    barrier();
    uint column = gl_GlobalInvocationID.x;
    if (column < columns) {
        uint at = inputOffset + gl_WorkGroupID.z * inputBatchStride + gl_WorkGroupID.y * inputRowStride + column;
        uint magnitude = inputs[at] & 0x7fffffffu;
        atomicMax(largest, magnitude);
        if (magnitude >= 0x7f800000u) atomicMax(strangeColumn, ~column);
    }
    barrier();
    if (gl_LocalInvocationID.x != 0) return;
    atomicMax(results[resultOffset], largest);
    atomicMax(results[resultOffset + 1], strangeColumn);
}
