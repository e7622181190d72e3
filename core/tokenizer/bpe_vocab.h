// BpeVocab: the frozen vocabulary of a byte-level byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909; over
// bytes as in GPT-2).
//
// Every id in [0, size()) is either a token, which stands for 1 or more bytes, or a special, which stands for none and
// which no text can reach. All 256 single bytes are tokens, so every byte string has an encoding. A merge replaces two
// adjacent tokens by the token of their concatenated bytes; several merges may make the same token. Its rank is its
// position in merges(), and the lowest rank goes first. Ids are arbitrary: a file decides them. Vocabularies trained
// here have the bytes at 0..255, then tokens in the order of their merges, then the specials.
//
// What files of other programs need besides, and no vocabulary trained here has:
// - equal_ranks(): merges with the same result share one rank, of equals the leftmost goes first (tiktoken);
// - whole pieces: tokens that a piece with exactly their bytes becomes, whatever merging would make of it;
// - cut tokens: found in the text before it is split into pieces, leftmost first, then longest;
// - specials without a spelling: ids that the file leaves out.
//
// Superwords, which only vocabularies trained here have and which go with none of the above but specials: merges of a
// second stage. Once every piece is encoded, they work on chunks of neighbouring pieces (superword_joiner.h), so their
// tokens may reach over several pieces. Each has a higher rank than all merges, of either stage, that make its
// operands.
//
// No two tokens that merging can reach stand for the same bytes; a cut token may repeat the bytes of another token.
//
// Thread-safety: immutable after Create(); every const method may run on any thread.
// Ownership: owns its tables; views it returns live as long as it. Movable, not copyable.
// Memory: token bytes + 40 bytes per id + about 80 bytes per merge.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/digest.h"
#include "core/base/types.h"

namespace clm {

inline constexpr uint32_t kMaxBpeVocabSize = 1U << 20;
inline constexpr size_t kMaxBpeMerges = size_t{1} << 20;
inline constexpr uint32_t kMaxSuperwordChunkBytes = 1U << 20;
inline constexpr size_t kMaxBpeTokenBytesTotal = size_t{256} << 20;
inline constexpr size_t kMaxBpeSpecials = 4096;
inline constexpr size_t kMaxBpeSpecialBytes = 256;

struct BpeMerge {
  SymbolId left = 0;
  SymbolId right = 0;
  SymbolId result = 0;

  friend bool operator==(const BpeMerge&, const BpeMerge&) = default;
};

struct BpeSpecial {
  SymbolId id = 0;
  std::string text;  // how files and people spell it, up to kMaxBpeSpecialBytes bytes of UTF-8; empty: an unused id

  friend bool operator==(const BpeSpecial&, const BpeSpecial&) = default;
};

struct BpeSuperwords {
  std::vector<BpeMerge> merges;  // in rank order
  uint32_t chunk_bytes = 0;      // where there are merges: range [2, kMaxSuperwordChunkBytes]
};

struct BpeVocabParts {
  std::vector<std::string> tokens;     // bytes by id; ignored at the ids of specials
  std::vector<BpeMerge> merges;        // in rank order
  std::vector<BpeSpecial> specials;    // any order; at least the boundary
  SymbolId boundary = 0;               // the special that ends every document; it has a spelling
  bool equal_ranks = false;            // merges with the same result share a rank; they stand side by side in `merges`
  std::vector<SymbolId> cut_tokens;    // any order
  std::vector<SymbolId> whole_pieces;  // any order
  BpeSuperwords superwords = {};
};

class BpeVocab {
 public:
  struct MergeTarget {
    uint32_t rank = 0;
    SymbolId result = 0;
  };
  // A token's bytes as they are copied when ids are decoded.
  struct PaddedToken {
    static constexpr uint8_t kMaxBytes = 15;
    static constexpr uint8_t kLong = 0xFF;  // look at TokenBytes, or at the spelling of a special

    std::array<char, kMaxBytes> bytes{};
    uint8_t length = kLong;
  };

  // INVALID_ARGUMENT, naming the first id, byte or rank that breaks a rule above; RESOURCE_EXHAUSTED over a limit.
  static absl::StatusOr<BpeVocab> Create(BpeVocabParts parts);

  BpeVocab(BpeVocab&&) = default;
  BpeVocab& operator=(BpeVocab&&) = default;

  uint32_t size() const { return static_cast<uint32_t>(offsets_.size() - 1); }
  SymbolId boundary() const { return boundary_; }
  SymbolId ByteId(uint8_t byte) const { return byte_ids_[byte]; }
  std::span<const BpeMerge> merges() const { return merges_; }
  std::span<const BpeSpecial> specials() const { return specials_; }  // by id, ascending
  bool equal_ranks() const { return equal_ranks_; }
  std::span<const SymbolId> cut_tokens() const { return cut_tokens_; }      // ascending
  std::span<const SymbolId> whole_pieces() const { return whole_pieces_; }  // ascending

  bool has_superwords() const { return !superwords_.merges.empty(); }
  const BpeSuperwords& superwords() const { return superwords_; }

  bool IsSpecial(SymbolId id) const { return FindSpecial(id) != nullptr; }
  // The special with this id; null for tokens and unknown ids.
  const BpeSpecial* FindSpecial(SymbolId id) const;
  // The bytes `id` stands for; empty for specials. Requires id < size().
  absl::string_view TokenBytes(SymbolId id) const {
    return absl::string_view(arena_).substr(offsets_[id], offsets_[id + 1] - offsets_[id]);
  }
  std::span<const PaddedToken> padded_tokens() const { return padded_tokens_; }  // by id
  // The merge of two adjacent ids, or null.
  const MergeTarget* FindMerge(SymbolId left, SymbolId right) const {
    const auto found = targets_.find(PairKey(left, right));
    return found == targets_.end() ? nullptr : &found->second;
  }

  // The whole piece with these bytes, or null: then merging decides.
  const SymbolId* FindWholePiece(absl::string_view piece) const {
    if (piece.size() > longest_whole_piece_) return nullptr;  // always so where there are none
    const auto found = whole_piece_ids_.find(piece);
    return found == whole_piece_ids_.end() ? nullptr : &found->second;
  }

  // SHA-256 over everything that decides ids and bytes: tokens, merges in order, specials, boundary, and what files of
  // other programs need besides.
  const Sha256Digest& fingerprint() const { return fingerprint_; }

 private:
  BpeVocab() = default;

  using TokenIds = absl::flat_hash_map<absl::string_view, SymbolId>;

  static uint64_t PairKey(SymbolId left, SymbolId right) { return (uint64_t{left} << 32) | right; }

  absl::Status TakeSpecials(BpeVocabParts& parts);
  absl::Status TakeTokens(const BpeVocabParts& parts);
  absl::Status TakeToken(SymbolId id, const std::string& token, TokenIds& ids);
  absl::Status TakeByteIds(const TokenIds& ids);
  absl::Status TakeMerges(BpeVocabParts& parts);
  absl::Status TakeMerge(uint32_t position);
  absl::Status TakeSuperwords(BpeVocabParts& parts);
  absl::Status CheckMerge(const BpeMerge& merge, const std::string& name) const;
  absl::Status TakeCutTokens(BpeVocabParts& parts);
  absl::Status TakeWholePieces(BpeVocabParts& parts);
  void PadTokens();
  void ComputeFingerprint();

  std::string arena_;              // bytes of all tokens, by id
  std::vector<uint32_t> offsets_;  // [size() + 1] into arena_
  std::vector<PaddedToken> padded_tokens_;
  std::array<SymbolId, 256> byte_ids_{};
  std::vector<BpeMerge> merges_;
  absl::flat_hash_map<uint64_t, MergeTarget> targets_;  // seeded per process: no file can choose its collisions
  std::vector<BpeSpecial> specials_;
  SymbolId boundary_ = 0;
  bool equal_ranks_ = false;
  std::vector<SymbolId> cut_tokens_;
  std::vector<SymbolId> whole_pieces_;
  BpeSuperwords superwords_;
  TokenIds whole_piece_ids_;  // views into arena_, which never moves its bytes
  size_t longest_whole_piece_ = 0;
  Sha256Digest fingerprint_{};
};

}  // namespace clm
