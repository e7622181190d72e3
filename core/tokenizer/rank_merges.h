// RankMerges: the merges that a table of ranks stands for, by the rule of tiktoken (rank_file.h).
//
// Thread-safety: functions without state. Cost: quadratic in the bytes of each token, linear in their number.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

struct RankMerges {
  std::vector<BpeMerge> merges;
  bool equal_ranks = false;  // merges of one result share its rank
};

// `tokens`: bytes by rank; empty where there is none. Requires that no two are the same. INVALID_ARGUMENT for a token
// over kMaxRankTokenBytes, RESOURCE_EXHAUSTED over kMaxRankFileWork or kMaxBpeMerges.
absl::StatusOr<RankMerges> DeriveRankMerges(const std::vector<std::string>& tokens);

}  // namespace clm
