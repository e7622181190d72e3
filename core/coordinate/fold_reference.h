// The slow, obvious twin of folder.h: what folding means, one symbol at a time. For tests and for checking a table by
// hand.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/types.h"
#include "core/coordinate/universe.h"

namespace clm {

// Folds base symbols. Requires ids below universe.base_size() and, if the universe needs them, as many starts as ids.
std::vector<SymbolId> FoldReference(const Universe& universe, std::span<const SymbolId> ids,
                                    std::span<const uint8_t> pretoken_starts = {});

}  // namespace clm
