#include "core/coordinate/coverage.h"

#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double CoverageReport::symbols_per_base_symbol() const { return Ratio(symbols, base_symbols); }
double CoverageReport::symbols_per_byte() const { return Ratio(symbols, original_bytes); }
double CoverageReport::covered() const {
  return layers.empty() ? 0 : Ratio(base_symbols - layers[0].base_symbols, base_symbols);
}

CoverageCounter::CoverageCounter(const Universe& universe) : folder_(universe), occurrences_(universe.vocab_size()) {}

absl::Status CoverageCounter::Add(std::span<const SymbolId> ids, std::span<const uint8_t> pretoken_starts,
                                  uint64_t original_bytes) {
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> folded, folder_.Fold(ids, pretoken_starts));
  for (const SymbolId id : folded) ++occurrences_[id];
  ++documents_;
  original_bytes_ += original_bytes;
  return absl::OkStatus();
}

void CoverageCounter::Merge(const CoverageCounter& other) {
  CLM_CHECK(occurrences_.size() == other.occurrences_.size());
  documents_ += other.documents_;
  original_bytes_ += other.original_bytes_;
  for (size_t id = 0; id < occurrences_.size(); ++id) occurrences_[id] += other.occurrences_[id];
}

CoverageReport CoverageCounter::Report() const {
  const Universe& universe = folder_.universe();
  CoverageReport report;
  report.documents = documents_;
  report.original_bytes = original_bytes_;
  report.layers.resize(static_cast<size_t>(universe.layer_count()) + 1);
  std::vector<uint64_t> made = occurrences_;
  // Parents come after their children, so all of an id's parents are done when it is reached.
  for (SymbolId id = universe.vocab_size(); id-- > 0;) {
    if (id < universe.base_size() && universe.IsBoundary(id)) continue;
    LayerCoverage& layer = report.layers[static_cast<size_t>(universe.LayerOf(id))];
    ++layer.nodes;
    layer.unused_nodes += uint64_t{made[id] == 0};
    layer.folds += made[id];
    layer.symbols += occurrences_[id];
    layer.base_symbols += occurrences_[id] * universe.Length(id);
    if (id < universe.base_size()) continue;
    const SymbolPair pair = universe.Children(id);
    made[pair.left] += made[id];
    made[pair.right] += made[id];
  }
  for (const LayerCoverage& layer : report.layers) {
    report.symbols += layer.symbols;
    report.base_symbols += layer.base_symbols;
  }
  for (SymbolId id = universe.base_size(); id < universe.vocab_size(); ++id) {
    if (made[id] == 0) report.unused.push_back(id);
  }
  return report;
}

}  // namespace clm
