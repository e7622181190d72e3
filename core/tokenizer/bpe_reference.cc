#include "core/tokenizer/bpe_reference.h"

#include <algorithm>
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

std::vector<SymbolId> BytesOf(const std::string& piece) {
  std::vector<SymbolId> ids;
  ids.reserve(piece.size());
  for (const char byte : piece) ids.push_back(static_cast<uint8_t>(byte));
  return ids;
}

// `may_spell`: a pair may spell a token, and is then left alone.
void LearnFrom(std::vector<Word>& words, const MergeLearnerOptions& options, bool may_spell, BpeLearned& learned) {
  while (learned.tokens.size() < options.max_tokens) {
    PairOfIds best;
    uint64_t best_count = 0;
    for (const auto& [pair, count] : CountPairs(words)) {  // in order of the ids: of equals the first stays
      if (count <= best_count) continue;
      const std::string joined = learned.tokens[pair.first] + learned.tokens[pair.second];
      if (joined.size() > options.max_token_bytes) continue;
      const bool is_token = std::find(learned.tokens.begin(), learned.tokens.end(), joined) != learned.tokens.end();
      if (may_spell && is_token) continue;
      best = pair;
      best_count = count;
    }
    if (best_count == 0 || best_count < options.min_pair_count) break;
    const BpeMerge merge{best.first, best.second, static_cast<SymbolId>(learned.tokens.size())};
    learned.tokens.push_back(learned.tokens[best.first] + learned.tokens[best.second]);
    learned.merges.push_back(merge);
    for (Word& word : words) JoinEverywhere(word.ids, merge);
  }
}

}  // namespace

std::vector<SymbolId> BpeEncodeReference(const BpeVocab& vocab, absl::string_view piece) {
  if (const SymbolId* whole = vocab.FindWholePiece(piece); whole != nullptr) return {*whole};
  std::vector<SymbolId> ids;
  ids.reserve(piece.size());
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

std::vector<SymbolId> BpeEncodeSuperwordsReference(const BpeVocab& vocab, const std::vector<std::string>& pieces) {
  std::vector<SymbolId> all;
  std::vector<SymbolId> chunk;
  size_t chunk_bytes = 0;
  const auto close = [&] {
    for (const BpeMerge& merge : vocab.superwords().merges) JoinEverywhere(chunk, merge);
    all.insert(all.end(), chunk.begin(), chunk.end());
    chunk.clear();
    chunk_bytes = 0;
  };
  for (const std::string& piece : pieces) {
    if (chunk_bytes + piece.size() > vocab.superwords().chunk_bytes) close();
    const std::vector<SymbolId> ids = BpeEncodeReference(vocab, piece);
    chunk.insert(chunk.end(), ids.begin(), ids.end());
    chunk_bytes += piece.size();
    if (piece.find('\n') != std::string::npos) close();
  }
  close();
  return all;
}

BpeLearned BpeTrainReference(const std::map<std::string, uint64_t>& pieces, const MergeLearnerOptions& options) {
  std::vector<Word> words;
  for (const auto& [piece, count] : pieces) words.push_back({BytesOf(piece), count});
  BpeLearned learned = BytesOnly();
  LearnFrom(words, options, /*may_spell=*/false, learned);
  return learned;
}

BpeLearned BpeTrainSuperwordsReference(const std::map<std::vector<std::string>, uint64_t>& chunks,
                                       const MergeLearnerOptions& options, uint32_t superword_from) {
  std::map<std::string, uint64_t> pieces;
  for (const auto& [chunk, count] : chunks) {
    for (const std::string& piece : chunk) pieces[piece] += count;
  }
  MergeLearnerOptions inside = options;
  inside.max_tokens = superword_from;
  BpeLearned learned = BpeTrainReference(pieces, inside);
  std::vector<Word> words;
  for (const auto& [chunk, count] : chunks) {
    words.push_back({{}, count});
    for (const std::string& piece : chunk) {
      std::vector<SymbolId> ids = BytesOf(piece);
      for (const BpeMerge& merge : learned.merges) JoinEverywhere(ids, merge);
      words.back().ids.insert(words.back().ids.end(), ids.begin(), ids.end());
    }
  }
  LearnFrom(words, options, /*may_spell=*/true, learned);
  return learned;
}

}  // namespace clm
