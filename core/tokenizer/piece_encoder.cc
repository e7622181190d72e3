#include "core/tokenizer/piece_encoder.h"

#include <algorithm>
#include <cstring>

#include "core/base/check.h"

namespace clm {
namespace {

// Longer tokens would make the search for the longest one slow; only made-up vocabularies have them.
constexpr size_t kMaxTrieTokenBytes = 1024;
constexpr size_t kKeptPieceBytes = size_t{1} << 20;

// For how many bytes from `position` on the text is what it was `period` bytes before.
size_t PeriodicBytes(absl::string_view text, size_t position, size_t period) {
  constexpr size_t kBlock = 64;
  const char* now = text.data() + position;
  const char* before = now - period;
  const size_t rest = text.size() - position;
  size_t count = 0;
  while (count + kBlock <= rest && std::memcmp(now + count, before + count, kBlock) == 0) count += kBlock;
  while (count < rest && now[count] == before[count]) ++count;
  return count;
}

bool FitsTrie(const BpeVocab& vocab) {
  size_t prefixes = 0;  // at most
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    if (vocab.TokenBytes(id).size() > kMaxTrieTokenBytes) return false;
    prefixes += vocab.TokenBytes(id).size();
  }
  return prefixes <= TokenTrie::kMaxPrefixes;
}

std::vector<TokenTrie::Entry> TrieEntries(const BpeVocab& vocab, const TokenAdjacency& adjacency) {
  std::vector<TokenTrie::Entry> entries;
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    if (adjacency.IsReachable(id)) entries.push_back({vocab.TokenBytes(id), id});
  }
  return entries;
}

}  // namespace

EncodeTables::EncodeTables(const BpeVocab& vocab)
    : vocab_(vocab),
      adjacency_(vocab),
      merges_pieces_(!adjacency_.in_order() || !FitsTrie(vocab)),
      short_tokens_(vocab.size()) {
  if (vocab.has_superwords()) superwords_.emplace(vocab);
  for (const SymbolId id : vocab.whole_pieces()) AddShortToken(id);
  if (merges_pieces_) return;
  trie_ = TokenTrie(TrieEntries(vocab, adjacency_));
  prefixes_.resize(vocab.size());
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    if (!adjacency_.IsReachable(id)) continue;
    if (vocab.FindWholePiece(vocab.TokenBytes(id)) == nullptr) AddShortToken(id);
    const absl::string_view bytes = vocab.TokenBytes(id);
    prefixes_[id].length = static_cast<uint32_t>(bytes.size());
    max_length_ = std::max(max_length_, prefixes_[id].length);
    if (bytes.size() > 1) prefixes_[id].shorter = trie_.Longest(bytes.substr(0, bytes.size() - 1)).id;
  }
}

void EncodeTables::AddShortToken(SymbolId id) {
  const absl::string_view bytes = vocab_.TokenBytes(id);
  if (bytes.size() > ShortPiece::kMaxBytes) return;
  short_tokens_.Add(ShortPiece::Of(bytes.data(), bytes.size(), /*padded=*/false), id);
}

PieceEncoder::PieceEncoder(const EncodeTables& tables) : tables_(tables), merger_(tables.vocab()) {}

void PieceEncoder::Encode(absl::string_view piece, std::vector<SymbolId>& out) {
  CLM_CHECK(piece.size() <= kMaxBpePieceBytes);
  const SymbolId* whole = tables_.vocab().FindWholePiece(piece);
  if (whole != nullptr) {
    out.push_back(*whole);
  } else if (tables_.merges_pieces()) {
    merger_.Merge(piece, out);
  } else {
    Match(piece, out);
  }
}

bool PieceEncoder::Fits(SymbolId left, SymbolId right) {
  const uint64_t pair = uint64_t{left} << 40 | uint64_t{right} << 8;
  uint64_t& known = known_fits_[(left ^ right * 7) % known_fits_.size()];
  if (known >> 2 != pair >> 2 || known == 0) known = pair | (tables_.adjacency().Fits(left, right) ? 3U : 1U);
  return (known & 2) != 0;
}

size_t PieceEncoder::Repeats(absl::string_view piece, size_t position, std::span<const SymbolId> ids) const {
  if (ids.size() < 2 || ids[ids.size() - 1] != ids[ids.size() - 2]) return 0;
  // The last token was chosen behind itself and for the text ahead; where both are the same, so is the choice.
  const size_t period = tables_.LengthOf(ids.back());
  const size_t ahead = tables_.max_length();
  const size_t same = PeriodicBytes(piece, position, period);
  return same < ahead ? 0 : (same - ahead) / period + 1;
}

void PieceEncoder::Match(absl::string_view piece, std::vector<SymbolId>& out) {
  TokenTrie::Match longest = tables_.trie().Longest(piece);
  if (longest.length == piece.size()) {
    out.push_back(longest.id);
    return;
  }
  dead_ends_.assign(piece.size() / 64 + 1, 0);
  size_t last_dead_end = 0;
  const size_t first = out.size();
  size_t position = 0;
  SymbolId next = longest.id;  // the token to try at `position`
  while (true) {
    // Shorter ones until one fits and leads on.
    for (; next != kNoToken; next = tables_.ShorterPrefix(next)) {
      const size_t end = position + tables_.LengthOf(next);
      if ((dead_ends_[end / 64] >> (end % 64) & 1) != 0) continue;
      if (out.size() == first || Fits(out.back(), next)) break;
    }
    if (next != kNoToken) {
      const size_t length = tables_.LengthOf(next);
      const bool was_free = last_dead_end <= position;
      out.push_back(next);
      position += length;
      const size_t again = was_free ? Repeats(piece, position, std::span(out).subspan(first)) : 0;
      out.insert(out.end(), again, next);
      position += again * length;
      if (position == piece.size()) break;
      next = tables_.trie().Longest(piece.substr(position)).id;
      continue;
    }
    dead_ends_[position / 64] |= uint64_t{1} << (position % 64);
    last_dead_end = std::max(last_dead_end, position);
    CLM_CHECK(out.size() > first);  // every text has an encoding
    next = tables_.ShorterPrefix(out.back());
    position -= tables_.LengthOf(out.back());
    out.pop_back();
  }
  if (piece.size() > kKeptPieceBytes) dead_ends_ = {};
}

}  // namespace clm
