#pragma once
// PCRE2 names its functions after the code unit width; tokenizers work on UTF-8.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
