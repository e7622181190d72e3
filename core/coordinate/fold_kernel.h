// The inner loops of folding: one layer over packed symbols.
//
// Folding is greedy from left to right, so whether the pair at t folds depends on whether the one at t - 1 did. But
// that is the only dependence: which pairs COULD fold is a question to the table alone, asked for many positions at
// once, and of each run of such positions the first, third, fifth ... fold. So a layer can be cut anywhere, given one
// bit for each cut: was the first symbol behind it taken by the pair before it?
//
// Thread-safety: functions without state. Nothing here allocates but FindFolds, for its room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/types.h"
#include "core/coordinate/pair_table.h"
#include "core/coordinate/symbol_pair.h"

namespace clm {

// Where a pass over a stream stands: symbols before `write` are output, symbols from `read` on are still input.
struct FoldCursor {
  size_t read = 0;
  size_t write = 0;
};

// One layer, in place. Advances `cursor` until it reaches `stop` or needs a symbol beyond the end. With `final` the
// stream ends at symbols.size() and everything is written; otherwise at most two symbols remain from cursor.read on,
// waiting for what follows. If `uses` is not null, uses[id - table.first_id()] counts the folds. Requires cursor.write
// <= cursor.read, stop <= symbols.size(), and uses with table.size() entries.
struct FoldPass {
  const PairTable* table = nullptr;
  JoinRule rule = JoinRule::kAny;
  bool final = true;
  uint64_t* uses = nullptr;
};
void FoldLayerInPlace(const FoldPass& pass, std::span<PackedSymbol> symbols, size_t stop, FoldCursor& cursor);

// The pair at `position` becomes `symbol` (with the start flag of its left).
struct FoldMatch {
  uint32_t position;
  PackedSymbol symbol;
};

// Symbols beyond the end of a piece that a rule may look at.
inline constexpr size_t kFoldLookahead = 2;

// True if the layer holds (left, right) and the rule lets them fold when `next` follows.
bool IsFoldable(const PairTable& table, JoinRule rule, PackedSymbol left, PackedSymbol right, PackedSymbol next);

// The folds that begin in the first symbols.size() - kFoldLookahead symbols, ascending, in `room`, which grows as
// needed and is best used again. The last one may reach one symbol beyond them. With `first_is_taken` the first symbol
// belongs to a fold that began before it. Requires at least kFoldLookahead symbols, fewer than 2^32.
std::span<const FoldMatch> FindFolds(const PairTable& table, JoinRule rule, std::span<const PackedSymbol> symbols,
                                     bool first_is_taken, std::vector<FoldMatch>& room);

// Replaces the first `count` symbols by what the folds make of them, without the first if it is taken, and returns how
// many are left. Requires the matches of FindFolds for the same symbols.
size_t ApplyFolds(std::span<const FoldMatch> matches, bool first_is_taken, size_t count,
                  std::span<PackedSymbol> symbols);

}  // namespace clm
