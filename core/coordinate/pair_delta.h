// How folding a chunk changes the counts of pairs: only pairs at the folded places come and go, so a thin layer need
// not be counted anew.
//
// A pair that stays beside its neighbour keeps its count, whatever the join rule: a fold keeps the start flag of its
// left symbol, which is all that a rule sees of what follows a pair. And a pair that comes contains a new symbol.
//
// Thread-safety: functions without state.
#pragma once

#include <span>

#include "core/coordinate/fold_kernel.h"
#include "core/coordinate/pair_counter.h"
#include "core/coordinate/symbol_pair.h"
#include "core/coordinate/symbol_stream.h"

namespace clm {

// Appends the pairs inside the chunk that its folds take away and those that they bring, in raw counting. Requires the
// matches of FindFolds for `chunk` as it is before ApplyFolds.
void CollectPairDeltas(const SymbolChunk& chunk, JoinRule rule, bool first_is_taken, std::span<const FoldMatch> matches,
                       PairKeys& removed, PairKeys& added);

// The same for the pairs across the ends of chunks, from before and after the folds of a whole stream.
void CollectEdgeDeltas(const SymbolStream::Edges& before, const SymbolStream::Edges& after, JoinRule rule,
                       PairKeys& removed, PairKeys& added);

}  // namespace clm
