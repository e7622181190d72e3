#include "core/coordinate/fold_kernel.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace clm {
namespace {

// Positions asked about at once: their candidates and folds stay in the first-level cache.
constexpr size_t kBlock = 1024;

// The id that `right` is looked up with. A start flag that forbids the fold stays in and equals no id of a table.
template <JoinRule kRule>
inline SymbolId RightKey(PackedSymbol right) {
  if constexpr (kRule == JoinRule::kAny) return right & kIdMask;
  if constexpr (kRule == JoinRule::kWithinPretoken) return right;
  return right ^ kPretokenStart;
}

template <JoinRule kRule>
inline SymbolId LeftKey(PackedSymbol left) {
  return kRule == JoinRule::kWholePretokens ? left ^ kPretokenStart : left & kIdMask;
}

template <JoinRule kRule>
inline bool NextAllows(PackedSymbol next) {
  return kRule != JoinRule::kWholePretokens || (next & kPretokenStart) != 0;
}

// Writes the positions below `count` whose pairs a thin table may hold, and returns how many. Start flags are left to
// whoever asks the table. Requires count <= kBlock and count + 1 symbols.
size_t FindCandidates(const PairTable& table, const PackedSymbol* symbols, size_t count, uint32_t* positions) {
  constexpr uint64_t kLowBits = 0x0101010101010101U;
  std::array<uint8_t, kBlock + 16> parts = {};  // zeros behind the last one
  const uint8_t* const of_id = table.parts().data();
  const uint32_t mask = table.parts_mask();
  for (size_t t = 0; t <= count; ++t) parts[t] = of_id[symbols[t] & mask];
  parts[count] &= 2;  // a right one only
  size_t found = 0;
  for (size_t t = 0; t < count; t += 8) {
    uint64_t lefts = 0;
    uint64_t rights = 0;
    std::memcpy(&lefts, &parts[t], sizeof(lefts));
    std::memcpy(&rights, &parts[t + 1], sizeof(rights));
    if ((lefts & rights >> 1 & kLowBits) == 0) continue;
    for (size_t i = t; i < t + 8; ++i) {
      positions[found] = static_cast<uint32_t>(i);
      found += size_t{parts[i] & parts[i + 1] >> 1 & 1U};
    }
  }
  return found;
}

// Writes the folds among the first `count` positions, none of them before `free_from`, and returns how many. Requires
// count <= kBlock and count + kFoldLookahead symbols.
template <JoinRule kRule>
size_t FindFoldsInBlock(const PairTable& table, const PackedSymbol* symbols, size_t count, size_t free_from,
                        FoldMatch* matches) {
  size_t found = 0;
  // No branch here depends on the text: it would be mispredicted every other time.
  const auto add = [&](size_t t, SymbolId id) {
    matches[found] = {.position = static_cast<uint32_t>(t), .symbol = id | (symbols[t] & kPretokenStart)};
    const bool folds = (id != kNoSymbol) & (t >= free_from) & NextAllows<kRule>(symbols[t + 2]);
    found += size_t{folds};
    free_from ^= (free_from ^ (t + 2)) & (size_t{0} - size_t{folds});
  };
  if (table.is_square()) {
    for (size_t t = 0; t < count; ++t) {
      add(t, table.FindInSquare(LeftKey<kRule>(symbols[t]), RightKey<kRule>(symbols[t + 1])));
    }
    return found;
  }
  if (!table.is_thin()) {  // most positions pass any filter
    for (size_t t = 0; t < count; ++t) {
      add(t, table.FindDirectly(LeftKey<kRule>(symbols[t]), RightKey<kRule>(symbols[t + 1])));
    }
    return found;
  }
  std::array<uint32_t, kBlock> positions;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before read
  const size_t candidates = FindCandidates(table, symbols, count, positions.data());
  for (size_t i = 0; i < candidates; ++i) {
    const size_t t = positions[i];
    add(t, table.FindDirectly(LeftKey<kRule>(symbols[t]), RightKey<kRule>(symbols[t + 1])));
  }
  return found;
}

// Moves `count` symbols from `read` to `write`, which is not behind it.
inline void MoveSymbols(PackedSymbol* symbols, size_t read, size_t write, size_t count) {
  if (count > 8) {
    std::memmove(symbols + write, symbols + read, count * sizeof(PackedSymbol));
    return;
  }
  for (size_t i = 0; i < count; ++i) symbols[write + i] = symbols[read + i];
}

// Replaces symbols from cursor.read up to `end` by the folds, whose positions count from `origin`.
void ApplyToCursor(std::span<const FoldMatch> matches, size_t origin, size_t end, PackedSymbol* symbols,
                   FoldCursor& cursor) {
  size_t read = cursor.read;
  size_t write = cursor.write;
  for (const FoldMatch& match : matches) {
    const size_t gap = origin + match.position - read;
    MoveSymbols(symbols, read, write, gap);
    write += gap;
    symbols[write++] = match.symbol;
    read += gap + 2;
  }
  if (read < end) {
    if (read != write) MoveSymbols(symbols, read, write, end - read);
    write += end - read;
    read = end;
  }
  cursor = {.read = read, .write = write};
}

template <JoinRule kRule>
void FoldPassInPlace(const FoldPass& pass, std::span<PackedSymbol> symbols, size_t stop, FoldCursor& cursor) {
  const PairTable& table = *pass.table;
  const size_t size = symbols.size();
  std::array<FoldMatch, kBlock> matches;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before read
  const size_t safe = std::min(stop, size < kFoldLookahead ? 0 : size - kFoldLookahead);
  while (cursor.read < safe) {
    const size_t origin = cursor.read;
    const size_t count = std::min(kBlock, safe - origin);
    const size_t found = FindFoldsInBlock<kRule>(table, &symbols[origin], count, 0, matches.data());
    const std::span<const FoldMatch> folds = std::span(matches).first(found);
    if (pass.uses != nullptr) {
      for (const FoldMatch& match : folds) ++pass.uses[(match.symbol & kIdMask) - table.first_id()];
    }
    ApplyToCursor(folds, origin, origin + count, symbols.data(), cursor);
  }
  // The last two symbols: what lies behind them is the end of the document, or not known yet.
  while (cursor.read < stop && cursor.read + 1 < size) {
    const PackedSymbol left = symbols[cursor.read];
    const SymbolId id = table.Find(LeftKey<kRule>(left), RightKey<kRule>(symbols[cursor.read + 1]));
    const bool is_last_pair = cursor.read + 2 == size;
    if (kRule == JoinRule::kWholePretokens && id != kNoSymbol && is_last_pair && !pass.final) return;
    const bool folds = id != kNoSymbol && (is_last_pair || NextAllows<kRule>(symbols[cursor.read + 2]));
    symbols[cursor.write++] = folds ? (id | (left & kPretokenStart)) : left;
    if (folds && pass.uses != nullptr) ++pass.uses[id - table.first_id()];
    cursor.read += folds ? 2 : 1;
  }
  if (pass.final && cursor.read < stop && cursor.read + 1 == size) {
    symbols[cursor.write++] = symbols[cursor.read++];
  }
}

template <JoinRule kRule>
size_t FindFoldsOf(const PairTable& table, std::span<const PackedSymbol> symbols, bool first_is_taken,
                   FoldMatch* matches) {
  const size_t count = symbols.size() - kFoldLookahead;
  size_t free_from = first_is_taken ? 1 : 0;
  size_t found = 0;
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t size = std::min(kBlock, count - begin);
    const size_t taken = std::max(free_from, begin) - begin;
    const size_t more = FindFoldsInBlock<kRule>(table, &symbols[begin], size, taken, &matches[found]);
    for (size_t i = found; i < found + more; ++i) matches[i].position += static_cast<uint32_t>(begin);
    found += more;
    if (more > 0) free_from = size_t{matches[found - 1].position} + 2;
  }
  return found;
}

template <JoinRule kRule>
bool IsFoldableBy(const PairTable& table, PackedSymbol left, PackedSymbol right, PackedSymbol next) {
  return NextAllows<kRule>(next) && table.Find(LeftKey<kRule>(left), RightKey<kRule>(right)) != kNoSymbol;
}

}  // namespace

void FoldLayerInPlace(const FoldPass& pass, std::span<PackedSymbol> symbols, size_t stop, FoldCursor& cursor) {
  switch (pass.rule) {
    case JoinRule::kAny:
      return FoldPassInPlace<JoinRule::kAny>(pass, symbols, stop, cursor);
    case JoinRule::kWithinPretoken:
      return FoldPassInPlace<JoinRule::kWithinPretoken>(pass, symbols, stop, cursor);
    case JoinRule::kWholePretokens:
      return FoldPassInPlace<JoinRule::kWholePretokens>(pass, symbols, stop, cursor);
  }
}

bool IsFoldable(const PairTable& table, JoinRule rule, PackedSymbol left, PackedSymbol right, PackedSymbol next) {
  switch (rule) {
    case JoinRule::kAny:
      return IsFoldableBy<JoinRule::kAny>(table, left, right, next);
    case JoinRule::kWithinPretoken:
      return IsFoldableBy<JoinRule::kWithinPretoken>(table, left, right, next);
    case JoinRule::kWholePretokens:
      return IsFoldableBy<JoinRule::kWholePretokens>(table, left, right, next);
  }
  return false;
}

std::span<const FoldMatch> FindFolds(const PairTable& table, JoinRule rule, std::span<const PackedSymbol> symbols,
                                     bool first_is_taken, std::vector<FoldMatch>& room) {
  // Every other position may fold, and the last block writes one match for each of its own.
  room.resize(std::max(room.size(), symbols.size() / 2 + kBlock + 1));
  size_t found = 0;
  switch (rule) {
    case JoinRule::kAny:
      found = FindFoldsOf<JoinRule::kAny>(table, symbols, first_is_taken, room.data());
      break;
    case JoinRule::kWithinPretoken:
      found = FindFoldsOf<JoinRule::kWithinPretoken>(table, symbols, first_is_taken, room.data());
      break;
    case JoinRule::kWholePretokens:
      found = FindFoldsOf<JoinRule::kWholePretokens>(table, symbols, first_is_taken, room.data());
      break;
  }
  return std::span<const FoldMatch>(room).first(found);
}

size_t ApplyFolds(std::span<const FoldMatch> matches, bool first_is_taken, size_t count,
                  std::span<PackedSymbol> symbols) {
  if (matches.empty() && !first_is_taken) return count;
  FoldCursor cursor = {.read = first_is_taken ? size_t{1} : size_t{0}, .write = 0};
  ApplyToCursor(matches, 0, count, symbols.data(), cursor);
  return cursor.write;
}

}  // namespace clm
