// CoverageCounter: how well a universe fits documents that it was not learned from.
//
// Every fold makes a coordinate, and a coordinate that is no part of a larger one is a symbol of the result: so the
// occurrences of the result, handed down to children, say how often each coordinate was made.
//
//   CoverageCounter counter(universe);
//   for (...) CLM_RETURN_IF_ERROR(counter.Add(ids, starts, text.size()));
//   const CoverageReport report = counter.Report();
//
// Thread-safety: one thread per counter; Merge() brings several together. Ownership: shares the universe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "core/base/types.h"
#include "core/coordinate/folder.h"
#include "core/coordinate/universe.h"

namespace clm {

struct LayerCoverage {
  uint64_t nodes = 0;         // of the layer; layer 0 is the base, without boundaries
  uint64_t unused_nodes = 0;  // that no fold made
  uint64_t folds = 0;         // that made one of them; layer 0: base symbols
  uint64_t symbols = 0;       // of the result that belong to the layer
  uint64_t base_symbols = 0;  // that these stand for

  friend bool operator==(const LayerCoverage&, const LayerCoverage&) = default;
};

struct CoverageReport {
  uint64_t documents = 0;
  uint64_t original_bytes = 0;
  uint64_t base_symbols = 0;          // boundaries left out, here and below
  uint64_t symbols = 0;               // of the result
  std::vector<LayerCoverage> layers;  // by layer, from 0
  std::vector<SymbolId> unused;       // coordinates that no fold made, ascending

  // 1 when nothing folds; 0 without symbols.
  double symbols_per_base_symbol() const;
  double symbols_per_byte() const;
  // Share of the base symbols that lie under coordinates.
  double covered() const;
};

class CoverageCounter {
 public:
  explicit CoverageCounter(const Universe& universe);

  // A document of `original_bytes`. Errors as Folder::Fold; nothing is counted then.
  absl::Status Add(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts, uint64_t original_bytes);
  // Adds what another counter of the same universe counted.
  void Merge(const CoverageCounter& other);

  CoverageReport Report() const;

 private:
  Folder folder_;
  uint64_t documents_ = 0;
  uint64_t original_bytes_ = 0;
  std::vector<uint64_t> occurrences_;  // in the results, by id
};

}  // namespace clm
