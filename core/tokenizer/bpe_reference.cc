#include "core/tokenizer/bpe_reference.h"

#include <cstddef>
#include <utility>

namespace clm {
namespace {

using PairOfIds = std::pair<SymbolId, SymbolId>;

struct Word {
  std::vector<SymbolId> ids;
  uint64_t count = 0;
};

void JoinEverywhere(std::vector<SymbolId>& ids, const BpeMerge& merge) {
  std::vector<SymbolId> joined;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (i + 1 < ids.size() && ids[i] == merge.left && ids[i + 1] == merge.right) {
      joined.push_back(merge.result);
      ++i;
    } else {
      joined.push_back(ids[i]);
    }
  }
  ids = std::move(joined);
}

std::map<PairOfIds, uint64_t> CountPairs(const std::vector<Word>& words) {
  std::map<PairOfIds, uint64_t> counts;
  for (const Word& word : words) {
    for (size_t i = 0; i + 1 < word.ids.size(); ++i) counts[{word.ids[i], word.ids[i + 1]}] += word.count;
  }
  return counts;
}

}  // namespace

std::vector<SymbolId> BpeEncodeReference(const BpeVocab& vocab, absl::string_view piece) {
  if (const SymbolId* whole = vocab.FindWholePiece(piece); whole != nullptr) return {*whole};
  std::vector<SymbolId> ids;
  for (const char byte : piece) ids.push_back(vocab.ByteId(static_cast<uint8_t>(byte)));
  while (true) {
    const BpeVocab::MergeTarget* best = nullptr;
    size_t best_place = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const BpeVocab::MergeTarget* target = vocab.FindMerge(ids[i], ids[i + 1]);
      if (target == nullptr || (best != nullptr && target->rank >= best->rank)) continue;
      best = target;
      best_place = i;
    }
    if (best == nullptr) return ids;
    ids[best_place] = best->result;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best_place) + 1);
  }
}

BpeLearned BpeTrainReference(const std::map<std::string, uint64_t>& pieces, const MergeLearnerOptions& options) {
  BpeLearned learned;
  for (int byte = 0; byte < 256; ++byte) learned.tokens.emplace_back(1, static_cast<char>(byte));
  std::vector<Word> words;
  for (const auto& [piece, count] : pieces) {
    words.push_back({{}, count});
    for (const char byte : piece) words.back().ids.push_back(static_cast<uint8_t>(byte));
  }
  while (learned.tokens.size() < options.max_tokens) {
    PairOfIds best;
    uint64_t best_count = 0;
    for (const auto& [pair, count] : CountPairs(words)) {  // in order of the ids: of equals the first stays
      const size_t bytes = learned.tokens[pair.first].size() + learned.tokens[pair.second].size();
      if (count <= best_count || bytes > options.max_token_bytes) continue;
      best = pair;
      best_count = count;
    }
    if (best_count == 0 || best_count < options.min_pair_count) break;
    const BpeMerge merge{best.first, best.second, static_cast<SymbolId>(learned.tokens.size())};
    learned.tokens.push_back(learned.tokens[best.first] + learned.tokens[best.second]);
    learned.merges.push_back(merge);
    for (Word& word : words) JoinEverywhere(word.ids, merge);
  }
  return learned;
}

}  // namespace clm
