// What is chosen where there is nothing to choose from; see `noToken` in Sources/Inference.
const uint NO_TOKEN = 0xffffffffu;

// Whether a value is infinite or NaN. Bits tell, since compilers may take it for granted that there is no NaN.
bool isStrange(float value) {
    return (floatBitsToUint(value) & 0x7f800000u) == 0x7f800000u;
}
