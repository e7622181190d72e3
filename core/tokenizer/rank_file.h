// Rank files of tiktoken (`cl100k_base.tiktoken`): a token in base64, a space and its rank per line. The rank is the
// id.
//
// The rule of tiktoken: a piece that is a token is that token; else, of all adjacent pairs whose bytes together are a
// token, the one with the lowest rank is joined first, the leftmost of equals. A file names no merges, so they are
// derived here: where every token's bytes, merged with the lower ranks alone, end in exactly two parts, these two are
// its only merge (by induction over the ranks no other pair is ever joined to it); where one does not, every way to
// split a token into two tokens is a merge, and those of one token share its rank (BpeVocab::equal_ranks). Both are
// exact.
//
// The split pattern and the special tokens are not in the file: `encoding` names a known set, or they are given. Ids
// that neither names are unused.
//
// Thread-safety: functions without state. Errors: INVALID_ARGUMENT naming the line, token or special;
// RESOURCE_EXHAUSTED over a limit. A file compressed with gzip is refused by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/tokenizer_file.h"

namespace clm {

inline constexpr size_t kMaxRankFileBytes = size_t{64} << 20;
inline constexpr size_t kMaxRankTokenBytes = 4096;
// Of the sum over all tokens of the square of their bytes: the work of deriving merges. 120 times that of o200k_base.
inline constexpr uint64_t kMaxRankFileWork = uint64_t{1} << 31;

struct RankFileOptions {
  // gpt2, r50k_base, p50k_base, p50k_edit, cl100k_base, o200k_base or o200k_harmony: their pattern and special tokens.
  // Empty: as below.
  std::string encoding{};
  // As tiktoken reads it ("pat_str"). Only without `encoding`.
  std::string pattern{};
  // Besides those of `encoding`. At least the one that ends documents.
  std::vector<BpeSpecial> specials{};
  // As in TokenizerFileOptions.
  std::string boundary{};
};

absl::StatusOr<TokenizerDefinition> ParseRankFile(absl::string_view text, const RankFileOptions& options);

// The tokens of `vocab`, without its special tokens. INVALID_ARGUMENT when tiktoken would give other ids than `vocab`:
// merges in another order than the ids they make, tokens cut out of text, tokens that only merging leads to, ...
absl::StatusOr<std::string> WriteRankFile(const BpeVocab& vocab);

}  // namespace clm
