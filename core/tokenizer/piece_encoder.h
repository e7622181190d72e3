// PieceEncoder: the ids of one piece, exactly as BpeEncodeReference gives them.
//
// Takes the longest token that fits its left neighbour, then the next, and goes back where nothing fits: a position
// from which no encoding was found once is not tried again, so the work is linear in the piece (times the length of the
// longest token). Vocabularies that this does not hold for (see TokenAdjacency) are merged pair by pair.
//
// EncodeTables are what all encoders of one vocabulary share: immutable, may be used by several threads.
// A PieceEncoder belongs to one thread. Neither may outlive the vocabulary.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/piece_cache.h"
#include "core/tokenizer/piece_merger.h"
#include "core/tokenizer/superword_joiner.h"
#include "core/tokenizer/token_adjacency.h"
#include "core/tokenizer/token_trie.h"

namespace clm {

class EncodeTables {
 public:
  explicit EncodeTables(const BpeVocab& vocab);

  const BpeVocab& vocab() const { return vocab_; }
  const TokenAdjacency& adjacency() const { return adjacency_; }
  // The tokens that encodings hold; empty where pieces have to be merged.
  const TokenTrie& trie() const { return trie_; }
  bool merges_pieces() const { return merges_pieces_; }
  // The longest token that `id` begins with and is not; kNoToken when there is none. For tokens of the trie, as is
  // LengthOf().
  SymbolId ShorterPrefix(SymbolId id) const { return prefixes_[id].shorter; }
  // In bytes.
  uint32_t LengthOf(SymbolId id) const { return prefixes_[id].length; }
  // No token of the trie is longer, in bytes.
  uint32_t max_length() const { return max_length_; }
  // The token that a piece of up to ShortPiece::kMaxBytes is; kNoToken says nothing.
  SymbolId ShortToken(const ShortPiece& piece) const { return short_tokens_.Find(piece); }
  void PrefetchShortToken(const ShortPiece& piece) const { short_tokens_.Prefetch(piece); }
  // Of the second stage; null without one.
  const SuperwordTable* superwords() const { return superwords_.has_value() ? &*superwords_ : nullptr; }

 private:
  struct Prefix {
    SymbolId shorter = kNoToken;
    uint32_t length = 0;  // of the token itself, in bytes
  };

  void AddShortToken(SymbolId id);

  const BpeVocab& vocab_;
  TokenAdjacency adjacency_;
  bool merges_pieces_ = false;
  TokenTrie trie_;
  std::vector<Prefix> prefixes_;  // by id
  uint32_t max_length_ = 0;
  ShortTokenTable short_tokens_;
  std::optional<SuperwordTable> superwords_;
};

class PieceEncoder {
 public:
  explicit PieceEncoder(const EncodeTables& tables);

  // Appends the ids of `piece`. Requires at most kMaxBpePieceBytes bytes.
  void Encode(absl::string_view piece, std::vector<SymbolId>& out);

 private:
  void Match(absl::string_view piece, std::vector<SymbolId>& out);
  bool Fits(SymbolId left, SymbolId right);
  // How often the last of `ids`, which end at `position`, comes again there, as far as text that repeats itself tells.
  size_t Repeats(absl::string_view piece, size_t position, std::span<const SymbolId> ids) const;

  const EncodeTables& tables_;
  PieceMerger merger_;
  std::vector<uint64_t> dead_ends_;  // a bit per position of the piece
  // Answers of Fits() in runs of one pattern: left << 40 | right << 8 | whether it fits << 1 | 1. Few, so that they
  // stay in the nearest memory: in other text asking anew is as fast.
  std::array<uint64_t, 256> known_fits_{};
};

}  // namespace clm
