#include "core/tokenizer/whole_pieces.h"

#include <algorithm>
#include <utility>

#include "core/base/status_macros.h"
#include "core/tokenizer/piece_merger.h"

namespace clm {

std::vector<SymbolId> TokensThatMergingMisses(const BpeVocab& vocab) {
  std::vector<SymbolId> missed;
  PieceMerger merger(vocab);
  std::vector<SymbolId> ids;
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    if (vocab.IsSpecial(id)) continue;
    ids.clear();
    merger.Merge(vocab.TokenBytes(id), ids);
    if (ids.size() != 1 || ids[0] != id) missed.push_back(id);
  }
  return missed;
}

absl::StatusOr<BpeVocab> CreateWithWholePieces(BpeVocabParts parts, std::span<const SymbolId> except) {
  CLM_ASSIGN_OR_RETURN(BpeVocab vocab, BpeVocab::Create(parts));
  for (const SymbolId id : TokensThatMergingMisses(vocab)) {
    if (!std::binary_search(except.begin(), except.end(), id)) parts.whole_pieces.push_back(id);
  }
  if (parts.whole_pieces.empty()) return vocab;
  return BpeVocab::Create(std::move(parts));
}

}  // namespace clm
