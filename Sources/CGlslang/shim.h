#pragma once
#include <glslang/Include/glslang_c_interface.h>
#include <spirv-tools/libspirv.h>
