// CanonicalTest: which sequences of symbols folding can produce.
//
// Many sequences unfold to the same text; folding produces one of them, the canonical one. For pair universes the test
// is local. Let last(u, l) and first(v, l) be the last and first symbol of u and v unfolded down to layer l. Adjacent
// u, v are bad at layer l if a = last(u, l) was not made by layer l itself and layer l holds (a, first(v, l - 1)):
// folding would have joined them there. A sequence is canonical if and only if no adjacent pair is bad at any layer and
// no symbol is dead, that is, never comes back from folding its own expansion. Learned universes have no dead symbols.
//
// Join rules: the statement above is for universes that join anywhere. With other rules a sequence is canonical with
// respect to the pretoken starts of the text it decodes to, which the caller finds by encoding that text again.
//
// Uses: masking a model's impossible continuations, and checking that generated symbols encode back to themselves.
// Thread-safety: immutable. Determinism: exact integers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/coordinate/folder.h"
#include "core/coordinate/universe.h"

namespace clm {

class CanonicalTest {
 public:
  explicit CanonicalTest(const Universe& universe);

  // False if folding can never leave `right` behind `left`. `right_starts_pretoken` says whether the text of `right`
  // begins a pretoken; universes that join anywhere ignore it. Layers that join whole pretokens need to see more than
  // two symbols and never make this false. One lookup for each symbol on the two edges that meet, whatever the sizes of
  // vocabulary and text: two to four in a universe of two layers. Requires both below vocab_size().
  bool MayFollow(SymbolId left, SymbolId right, bool right_starts_pretoken = false) const;

  // The mask of a model's next symbol: allowed[id] = 0 for every id that can never stand behind `left`, or nowhere, and
  // 1 for the others. Requires allowed.size() == vocab_size().
  void MarkAllowed(SymbolId left, std::span<uint8_t> allowed, bool right_starts_pretoken = false) const;

  // True if folding what `ids` unfold to gives `ids` back. `pretoken_starts` belong to the unfolded base symbols;
  // needed as in Folder::Fold. OUT_OF_RANGE for an unknown id, INVALID_ARGUMENT for a wrong number of starts.
  absl::StatusOr<bool> IsCanonical(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts = {}) const;

  // Symbols that folding never produces, ascending. Between the two halves of a coordinate only layers that join
  // anywhere and layers of its own rule are held against it.
  std::span<const SymbolId> dead_symbols() const { return dead_symbols_; }
  bool IsDead(SymbolId id) const;

 private:
  // Layers that count in a question: those that join anywhere, and those of `rule`, up to `last_layer`.
  struct Question {
    JoinRule rule = JoinRule::kAny;
    int last_layer = 0;
  };

  bool IsBad(SymbolId left, SymbolId right, const Question& question) const;
  bool HoldsPair(SymbolId left, SymbolId right, int low_layer, int high_layer, const Question& question) const;

  Folder folder_;
  Universe universe_;
  absl::flat_hash_map<uint64_t, SymbolId> newest_;  // pair to the coordinate of the last layer that holds it
  std::vector<uint8_t> layers_;                     // by symbol: its layer
  std::vector<SymbolId> older_;                     // by coordinate: the one of an earlier layer with the same pair
  std::vector<SymbolId> dead_symbols_;
};

}  // namespace clm
