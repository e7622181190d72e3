#include "core/coordinate/universe_cost.h"

#include <atomic>
#include <cmath>
#include <vector>

#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr double kUnitsPerBit = 1 << 20;

uint64_t UnitsOf(double probability) {
  return static_cast<uint64_t>(std::llround(-std::log2(probability) * kUnitsPerBit));
}

class BigramModel {
 public:
  explicit BigramModel(std::span<const uint64_t> counts) : counts_(counts), lefts_(counts.size()) {
    for (const uint64_t count : counts) {
      total_ += static_cast<double>(count);
      kinds_ += count > 0 ? 1 : 0;
    }
  }

  absl::Status Learn(const PairCounter& pairs, ThreadPool& pool, const CancellationToken& cancel) {
    std::vector<std::atomic<uint64_t>> occurrences(counts_.size());
    std::vector<std::atomic<uint64_t>> kinds(counts_.size());
    CLM_RETURN_IF_ERROR(pairs.Visit(pool, cancel, [&](size_t, std::span<const PairCount> slots) {
      for (const PairCount& entry : slots) {
        if (entry.count == 0) continue;
        occurrences[entry.pair().left].fetch_add(entry.count, std::memory_order_relaxed);
        kinds[entry.pair().left].fetch_add(1, std::memory_order_relaxed);
      }
      return absl::OkStatus();
    }));
    for (size_t id = 0; id < lefts_.size(); ++id) {
      lefts_[id] = {.occurrences = static_cast<double>(occurrences[id].load()),
                    .kinds = static_cast<double>(kinds[id].load())};
    }
    return absl::OkStatus();
  }

  double Unigram(SymbolId id) const {
    const double uniform = 1.0 / static_cast<double>(counts_.size());
    return (static_cast<double>(counts_[id]) + (kinds_ + 1) * uniform) / (total_ + kinds_ + 1);
  }

  double Bigram(const SymbolPair& pair, uint64_t count) const {
    const Left& left = lefts_[pair.left];
    if (left.kinds == 0) return Unigram(pair.right);
    return (static_cast<double>(count) + left.kinds * Unigram(pair.right)) / (left.occurrences + left.kinds);
  }

 private:
  struct Left {
    double occurrences = 0;
    double kinds = 0;
  };

  const std::span<const uint64_t> counts_;
  std::vector<Left> lefts_;
  double total_ = 0;
  double kinds_ = 0;
};

}  // namespace

absl::StatusOr<uint64_t> SelectionCost(const SymbolStream& build, std::span<const uint64_t> build_counts,
                                       const SymbolStream& selection, const PairCounter::Options& count,
                                       ThreadPool& pool, const CancellationToken& cancel) {
  const auto vocab_size = static_cast<uint32_t>(build_counts.size());
  PairCounter::Options selection_count = count;
  selection_count.name += "-selection";
  PairCounter build_pairs(count);
  PairCounter selection_pairs(selection_count);  // as many partitions
  CLM_RETURN_IF_ERROR(build_pairs.Count(build, {.vocab_size = vocab_size}, pool, cancel));
  CLM_RETURN_IF_ERROR(selection_pairs.Count(selection, {.vocab_size = vocab_size}, pool, cancel));
  CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> symbols, CountSymbols(selection, vocab_size, pool, cancel));
  BigramModel model(build_counts);
  CLM_RETURN_IF_ERROR(model.Learn(build_pairs, pool, cancel));

  std::vector<std::atomic<uint64_t>> followers(vocab_size);
  std::atomic<uint64_t> cost = 0;
  CLM_RETURN_IF_ERROR(selection_pairs.Visit(pool, cancel, [&](size_t p, std::span<const PairCount> slots) {
    PairCountTable scratch;
    CLM_ASSIGN_OR_RETURN(const PairCountTable* const learned, build_pairs.Load(p, scratch));
    for (const PairCount& entry : slots) {
      if (entry.count == 0) continue;
      const PairCount* const found = learned->Find(entry.key);
      const double probability = model.Bigram(entry.pair(), found == nullptr ? 0 : found->count);
      cost.fetch_add(entry.count * UnitsOf(probability), std::memory_order_relaxed);
      followers[entry.pair().right].fetch_add(entry.count, std::memory_order_relaxed);
    }
    return absl::OkStatus();
  }));
  uint64_t total = cost.load();
  for (SymbolId id = 0; id < vocab_size; ++id) {
    const uint64_t firsts = symbols[id] - followers[id].load();  // of documents
    if (firsts > 0) total += firsts * UnitsOf(model.Unigram(id));
    total += symbols[id] * static_cast<uint64_t>(kBitsPerStep * kUnitsPerBit);
  }
  return total;
}

}  // namespace clm
