// Vocabularies whose program gives a piece that is a token as that token without merging (`ignore_merges` in Hugging
// Face `tokenizers`, tiktoken).
//
// Thread-safety: functions without state. Cost: merging the bytes of every token once.
#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

// The tokens that merging their own bytes does not lead to, ascending.
std::vector<SymbolId> TokensThatMergingMisses(const BpeVocab& vocab);

// BpeVocab::Create with those tokens for which it makes a difference as whole pieces, `except` (ascending) not among
// them. Requires empty parts.whole_pieces.
absl::StatusOr<BpeVocab> CreateWithWholePieces(BpeVocabParts parts, std::span<const SymbolId> except);

}  // namespace clm
