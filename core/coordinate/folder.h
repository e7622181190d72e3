// Folder: base symbols to coordinates.
//
// Folding applies the layers in order. Each is one pass from left to right: at every position the pair that begins
// there is replaced by its coordinate if the layer has it and its join rule allows it, otherwise the left symbol is
// copied. Within one layer this greedy pass gives the fewest symbols any choice of disjoint pairs could (it is a
// maximum matching on a path). Boundary symbols fold with nothing because no table holds them.
//
// Pretoken starts: a universe with needs_pretoken_starts() folds by flags that travel beside the base symbols:
// starts[t] != 0 if base symbol t is the first of a pretoken. A boundary symbol counts as one, and so does the end of
// the document. Other universes ignore them, and an empty span will do.
//
// Thread-safety: a Folder is immutable and may be shared; a StreamingFolder belongs to one thread and must not outlive
// its Folder. Determinism: same on every platform, however a stream is cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/thread_pool.h"
#include "core/base/types.h"
#include "core/coordinate/fold_kernel.h"
#include "core/coordinate/pair_table.h"
#include "core/coordinate/pretoken_folder.h"
#include "core/coordinate/symbol_pair.h"
#include "core/coordinate/symbol_stream.h"
#include "core/coordinate/universe.h"

namespace clm {

class Folder {
 public:
  explicit Folder(const Universe& universe);

  const Universe& universe() const { return universe_; }

  // Folds `ids` (base symbols). OUT_OF_RANGE naming the position of an id that is not below base_size();
  // INVALID_ARGUMENT if the universe needs pretoken starts and there are not as many as ids. O(layers * ids).
  absl::StatusOr<std::vector<SymbolId>> Fold(std::span<const SymbolId> ids,
                                             std::span<const uint8_t> pretoken_starts = {}) const;
  // The same on all threads of `pool`, for long documents, whatever lies in them.
  absl::StatusOr<std::vector<SymbolId>> Fold(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts,
                                             ThreadPool& pool, const CancellationToken& cancel) const;

 private:
  friend class StreamingFolder;

  absl::Status Pack(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts, uint64_t first_position,
                    std::vector<PackedSymbol>& out) const;

  // The document in chunks. If pretokens are folded, they begin with one.
  absl::StatusOr<SymbolStream> Cut(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts) const;
  // False if pretokens are folded behind a layer that may move their beginnings across the ends of chunks.
  bool CanBeCut(size_t symbols) const;

  // One layer, or a run of layers that stay inside pretokens.
  struct Stage {
    JoinRule rule = JoinRule::kAny;
    std::optional<PairTable> table;           // of the layer, unless
    std::optional<PretokenFolder> pretokens;  // there is this
  };

  Universe universe_;
  std::vector<Stage> stages_;  // in the order of their layers
};

// Folds a document that arrives in pieces. State: at most two symbols per layer, and the unfinished pretoken where
// layers stay inside pretokens. A universe of L layers that joins anywhere holds back at most 2^L - 1 base symbols.
class StreamingFolder {
 public:
  explicit StreamingFolder(const Folder& folder);

  // Appends what `ids` settles. Errors as Folder::Fold (positions count from the start of the document) and then
  // changes nothing.
  absl::Status Push(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts,
                    std::vector<SymbolId>& out);
  // End of the document: appends what still waits and starts anew.
  void Finish(std::vector<SymbolId>& out);

  // Base symbols that were pushed and are not covered by the output yet.
  uint64_t held_back() const;

 private:
  void FoldWork(bool final, std::vector<SymbolId>& out);
  // Both move what a stage settles of waiting_[s] and work_ to next_, and keep the rest in waiting_[s].
  void FoldLayer(size_t s, bool final);
  void FoldPretokens(size_t s, bool final);

  const Folder& folder_;
  std::vector<std::vector<PackedSymbol>> waiting_;  // by stage
  std::vector<PackedSymbol> work_;
  std::vector<PackedSymbol> next_;
  uint64_t position_ = 0;
};

}  // namespace clm
