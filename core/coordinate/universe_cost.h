// What a universe costs on documents it was not learned from: the criterion by which the strategy kAuto chooses.
//
// Cost = bits of the selection symbols under a bigram model of the build symbols, plus kBitsPerStep for each selection
// symbol. The bits stand for what a model will pay, the step for the work of one more position. The model interpolates
// bigram, unigram and uniform distributions (Witten and Bell, IEEE Trans. Inf. Theory 37(4), 1991): with T(a) different
// right neighbours of a, P(b | a) = (n(ab) + T(a) P(b)) / (n(a.) + T(a)). It ranks universes over the same base; it
// does not predict a neural model. Both streams must hold the same documents whichever universes are compared.
//
// Determinism: logarithms are rounded to 2^-20 bits before they are added, so neither order nor threads matter.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/thread_pool.h"
#include "core/coordinate/pair_counter.h"
#include "core/coordinate/symbol_stream.h"

namespace clm {

inline constexpr double kBitsPerStep = 0.5;

// In units of 2^-20 bits. `build_counts` are the occurrences of each id in the build stream; the rest of `count` says
// how the counting of pairs may use memory.
absl::StatusOr<uint64_t> SelectionCost(const SymbolStream& build, std::span<const uint64_t> build_counts,
                                       const SymbolStream& selection, const PairCounter::Options& count,
                                       ThreadPool& pool, const CancellationToken& cancel);

}  // namespace clm
