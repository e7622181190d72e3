#include "core/tokenizer/rank_merges.h"

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/rank_file.h"

namespace clm {
namespace {

constexpr uint32_t kNoRank = UINT32_MAX;

absl::Status CheckWork(const std::vector<std::string>& tokens) {
  uint64_t work = 0;
  for (size_t rank = 0; rank < tokens.size(); ++rank) {
    const uint64_t bytes = tokens[rank].size();
    if (bytes > kMaxRankTokenBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("the token of rank ", rank, " has ", bytes, " bytes; limit ", kMaxRankTokenBytes));
    }
    work += bytes * bytes;
  }
  if (work <= kMaxRankFileWork) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the squares of the bytes of all tokens sum up to ", work, "; limit ", kMaxRankFileWork));
}

class Deriver {
 public:
  explicit Deriver(const std::vector<std::string>& tokens) : tokens_(tokens) {
    ranks_.reserve(tokens.size());
    for (uint32_t rank = 0; rank < tokens.size(); ++rank) {
      if (!tokens[rank].empty()) ranks_.emplace(tokens[rank], rank);
    }
  }

  // Merges every token's bytes with the ranks below its own. False when one does not end in two parts.
  bool OneEach(std::vector<BpeMerge>& merges);
  // Every way to split a token in two.
  absl::Status AllOfEach(std::vector<BpeMerge>& merges) const;

 private:
  uint32_t RankOf(absl::string_view bytes) const {
    const auto found = ranks_.find(bytes);
    return found == ranks_.end() ? kNoRank : found->second;
  }
  // Where the parts of `token` begin once no pair of them has a rank below `rank`, into begins_.
  void MergeBelow(absl::string_view token, uint32_t rank);
  // Rank of the pair of parts that begins at begins_[part].
  uint32_t RankOfPair(absl::string_view token, size_t part) const;

  const std::vector<std::string>& tokens_;
  absl::flat_hash_map<absl::string_view, uint32_t> ranks_;
  std::vector<size_t> begins_;
  std::vector<uint32_t> pair_ranks_;  // of begins_[i] and its neighbour
};

uint32_t Deriver::RankOfPair(absl::string_view token, size_t part) const {
  if (part + 1 >= begins_.size()) return kNoRank;
  const size_t end = part + 2 < begins_.size() ? begins_[part + 2] : token.size();
  return RankOf(token.substr(begins_[part], end - begins_[part]));
}

void Deriver::MergeBelow(absl::string_view token, uint32_t rank) {
  begins_.clear();
  pair_ranks_.clear();
  for (size_t i = 0; i < token.size(); ++i) begins_.push_back(i);
  for (size_t i = 0; i < token.size(); ++i) pair_ranks_.push_back(RankOfPair(token, i));
  while (true) {
    size_t best = 0;
    for (size_t i = 1; i < pair_ranks_.size(); ++i) {
      if (pair_ranks_[i] < pair_ranks_[best]) best = i;
    }
    if (pair_ranks_[best] >= rank) return;
    begins_.erase(begins_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    pair_ranks_.erase(pair_ranks_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    pair_ranks_[best] = RankOfPair(token, best);
    if (best > 0) pair_ranks_[best - 1] = RankOfPair(token, best - 1);
  }
}

bool Deriver::OneEach(std::vector<BpeMerge>& merges) {
  for (uint32_t rank = 0; rank < tokens_.size(); ++rank) {
    const absl::string_view token = tokens_[rank];
    if (token.size() < 2) continue;
    MergeBelow(token, rank);
    if (begins_.size() != 2) return false;
    const uint32_t left = RankOf(token.substr(0, begins_[1]));
    const uint32_t right = RankOf(token.substr(begins_[1]));
    if (left == kNoRank || right == kNoRank) return false;  // a byte that is no token
    merges.push_back({left, right, rank});
  }
  return true;
}

absl::Status Deriver::AllOfEach(std::vector<BpeMerge>& merges) const {
  for (uint32_t rank = 0; rank < tokens_.size(); ++rank) {
    const absl::string_view token = tokens_[rank];
    for (size_t split = 1; split < token.size(); ++split) {
      const uint32_t left = RankOf(token.substr(0, split));
      const uint32_t right = RankOf(token.substr(split));
      if (left == kNoRank || right == kNoRank) continue;
      if (merges.size() == kMaxBpeMerges) {
        return absl::ResourceExhaustedError(
            absl::StrCat("the tokens can be split in two in more than ", kMaxBpeMerges, " ways"));
      }
      merges.push_back({left, right, rank});
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RankMerges> DeriveRankMerges(const std::vector<std::string>& tokens) {
  CLM_RETURN_IF_ERROR(CheckWork(tokens));
  Deriver deriver(tokens);
  RankMerges derived;
  if (deriver.OneEach(derived.merges)) return derived;
  derived.merges.clear();
  derived.equal_ranks = true;
  CLM_RETURN_IF_ERROR(deriver.AllOfEach(derived.merges));
  return derived;
}

}  // namespace clm
