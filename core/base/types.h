// Types that every layer shares.
#pragma once

#include <cstdint>

namespace clm {

// What a model predicts: an id of some representation (a byte, a token, a coordinate). Always below 2^31.
using SymbolId = uint32_t;

}  // namespace clm
