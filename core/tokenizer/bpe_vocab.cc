#include "core/tokenizer/bpe_vocab.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/byte_writer.h"
#include "core/base/status_macros.h"
#include "core/text/utf8.h"

namespace clm {
namespace {

constexpr size_t kShownBytes = 64;

std::string Quoted(absl::string_view bytes) {
  return absl::StrCat("\"", absl::CHexEscape(bytes.substr(0, kShownBytes)), bytes.size() > kShownBytes ? "..." : "",
                      "\"");
}

absl::Status CheckSizes(const BpeVocabParts& parts) {
  if (parts.tokens.size() > kMaxBpeVocabSize) {
    return absl::ResourceExhaustedError(
        absl::StrCat("vocabulary has ", parts.tokens.size(), " entries; limit ", kMaxBpeVocabSize));
  }
  if (const size_t merges = parts.merges.size() + parts.superwords.merges.size(); merges > kMaxBpeMerges) {
    return absl::ResourceExhaustedError(absl::StrCat("vocabulary has ", merges, " merges; limit ", kMaxBpeMerges));
  }
  if (parts.specials.size() > kMaxBpeSpecials) {
    return absl::ResourceExhaustedError(
        absl::StrCat("vocabulary has ", parts.specials.size(), " special tokens; limit ", kMaxBpeSpecials));
  }
  return absl::OkStatus();
}

absl::Status CheckSpecial(const BpeSpecial& special, size_t vocab_size) {
  if (special.id >= vocab_size) {
    return absl::InvalidArgumentError(absl::StrCat("special token ", Quoted(special.text), " has id ", special.id,
                                                   ", vocabulary size is ", vocab_size));
  }
  if (special.text.size() > kMaxBpeSpecialBytes) {
    return absl::InvalidArgumentError(absl::StrCat("special token with id ", special.id, " is spelt with ",
                                                   special.text.size(), " bytes; limit ", kMaxBpeSpecialBytes));
  }
  if (ValidUtf8Prefix(special.text) != special.text.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("special token ", Quoted(special.text), " (id ", special.id, ") is not valid UTF-8"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BpeVocab> BpeVocab::Create(BpeVocabParts parts) {
  CLM_RETURN_IF_ERROR(CheckSizes(parts));
  BpeVocab vocab;
  CLM_RETURN_IF_ERROR(vocab.TakeSpecials(parts));
  CLM_RETURN_IF_ERROR(vocab.TakeCutTokens(parts));
  CLM_RETURN_IF_ERROR(vocab.TakeTokens(parts));
  CLM_RETURN_IF_ERROR(vocab.TakeMerges(parts));
  CLM_RETURN_IF_ERROR(vocab.TakeWholePieces(parts));
  CLM_RETURN_IF_ERROR(vocab.TakeSuperwords(parts));
  vocab.PadTokens();
  vocab.ComputeFingerprint();
  return vocab;
}

const BpeSpecial* BpeVocab::FindSpecial(SymbolId id) const {
  const auto found = std::lower_bound(specials_.begin(), specials_.end(), id,
                                      [](const BpeSpecial& special, SymbolId wanted) { return special.id < wanted; });
  return found != specials_.end() && found->id == id ? &*found : nullptr;
}

absl::Status BpeVocab::TakeSpecials(BpeVocabParts& parts) {
  specials_ = std::move(parts.specials);
  std::sort(specials_.begin(), specials_.end(),
            [](const BpeSpecial& left, const BpeSpecial& right) { return left.id < right.id; });
  absl::flat_hash_set<absl::string_view> texts;
  for (size_t i = 0; i < specials_.size(); ++i) {
    CLM_RETURN_IF_ERROR(CheckSpecial(specials_[i], parts.tokens.size()));
    if (i > 0 && specials_[i].id == specials_[i - 1].id) {
      return absl::InvalidArgumentError(absl::StrCat("two special tokens have id ", specials_[i].id));
    }
    if (!specials_[i].text.empty() && !texts.insert(specials_[i].text).second) {
      return absl::InvalidArgumentError(absl::StrCat("special token ", Quoted(specials_[i].text), " occurs twice"));
    }
  }
  boundary_ = parts.boundary;
  const BpeSpecial* special = FindSpecial(boundary_);
  if (special != nullptr && !special->text.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the boundary, id ", boundary_, ", is not a special token"));
}

absl::Status BpeVocab::TakeCutTokens(BpeVocabParts& parts) {
  cut_tokens_ = std::move(parts.cut_tokens);
  if (cut_tokens_.size() > kMaxBpeSpecials) {
    return absl::ResourceExhaustedError(
        absl::StrCat("vocabulary has ", cut_tokens_.size(), " cut tokens; limit ", kMaxBpeSpecials));
  }
  std::sort(cut_tokens_.begin(), cut_tokens_.end());
  absl::flat_hash_set<absl::string_view> texts;
  for (const SymbolId id : cut_tokens_) {
    if (id >= parts.tokens.size() || IsSpecial(id)) {
      return absl::InvalidArgumentError(
          absl::StrCat("cut token ", id, " is ", IsSpecial(id) ? "a special token" : "not in the vocabulary"));
    }
    const std::string& text = parts.tokens[id];
    if (text.size() > kMaxBpeSpecialBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("cut token ", id, " has ", text.size(), " bytes; limit ", kMaxBpeSpecialBytes));
    }
    if (!texts.insert(text).second) {
      return absl::InvalidArgumentError(absl::StrCat("cut token ", id, ", ", Quoted(text), ", occurs twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status BpeVocab::TakeTokens(const BpeVocabParts& parts) {
  size_t total_bytes = 0;
  for (const std::string& token : parts.tokens) total_bytes += token.size();
  if (total_bytes > kMaxBpeTokenBytesTotal) {
    return absl::ResourceExhaustedError(
        absl::StrCat("tokens have ", total_bytes, " bytes together; limit ", kMaxBpeTokenBytesTotal));
  }
  arena_.reserve(total_bytes);
  offsets_.reserve(parts.tokens.size() + 1);
  offsets_.push_back(0);
  TokenIds ids;
  ids.reserve(parts.tokens.size());
  for (SymbolId id = 0; id < parts.tokens.size(); ++id) {
    if (!IsSpecial(id)) CLM_RETURN_IF_ERROR(TakeToken(id, parts.tokens[id], ids));
    offsets_.push_back(static_cast<uint32_t>(arena_.size()));
  }
  for (const SymbolId id : cut_tokens_) ids.emplace(TokenBytes(id), id);  // unless another token has these bytes
  return TakeByteIds(ids);
}

absl::Status BpeVocab::TakeToken(SymbolId id, const std::string& token, TokenIds& ids) {
  if (token.empty()) return absl::InvalidArgumentError(absl::StrCat("token ", id, " stands for no bytes"));
  arena_ += token;
  if (std::binary_search(cut_tokens_.begin(), cut_tokens_.end(), id)) return absl::OkStatus();
  const auto [other, is_new] = ids.emplace(token, id);
  if (is_new) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("tokens ", other->second, " and ", id, " stand for the same bytes ", Quoted(token)));
}

absl::Status BpeVocab::TakeByteIds(const TokenIds& ids) {
  for (size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const auto value = static_cast<char>(static_cast<uint8_t>(byte));
    const auto found = ids.find(absl::string_view(&value, 1));
    if (found == ids.end()) {
      return absl::InvalidArgumentError(absl::StrFormat("no token stands for byte 0x%02X alone", byte));
    }
    byte_ids_[byte] = found->second;
  }
  return absl::OkStatus();
}

absl::Status BpeVocab::TakeMerges(BpeVocabParts& parts) {
  merges_ = std::move(parts.merges);
  equal_ranks_ = parts.equal_ranks;
  targets_.reserve(merges_.size());
  std::vector<bool> seen(equal_ranks_ ? size() : 0);  // results whose merges have begun
  for (uint32_t position = 0; position < merges_.size(); ++position) {
    CLM_RETURN_IF_ERROR(TakeMerge(position));
    if (!equal_ranks_) continue;
    const SymbolId result = merges_[position].result;
    const bool goes_on = position > 0 && merges_[position - 1].result == result;
    if (seen[result] && !goes_on) {
      return absl::InvalidArgumentError(absl::StrCat("merge ", position, " makes ", Quoted(TokenBytes(result)),
                                                     " again, apart from the merges of the same rank"));
    }
    seen[result] = true;
  }
  return absl::OkStatus();
}

absl::Status BpeVocab::CheckMerge(const BpeMerge& merge, const std::string& name) const {
  for (const SymbolId id : {merge.left, merge.right, merge.result}) {
    if (id >= size() || IsSpecial(id)) {
      return absl::InvalidArgumentError(absl::StrCat(name, " names id ", id, ", which is ",
                                                     id >= size() ? "not in the vocabulary" : "a special token"));
    }
  }
  const absl::string_view left = TokenBytes(merge.left);
  const absl::string_view right = TokenBytes(merge.right);
  const absl::string_view result = TokenBytes(merge.result);
  if (result.size() != left.size() + right.size() || !absl::StartsWith(result, left) ||
      !absl::EndsWith(result, right)) {
    return absl::InvalidArgumentError(absl::StrCat(name, " makes ", Quoted(absl::StrCat(left, right)),
                                                   ", but its result ", merge.result, " is ", Quoted(result)));
  }
  return absl::OkStatus();
}

absl::Status BpeVocab::TakeMerge(uint32_t position) {
  const BpeMerge& merge = merges_[position];
  CLM_RETURN_IF_ERROR(CheckMerge(merge, absl::StrCat("merge ", position)));
  uint32_t rank = position;
  if (equal_ranks_ && position > 0 && merges_[position - 1].result == merge.result) {
    const BpeMerge& before = merges_[position - 1];
    rank = FindMerge(before.left, before.right)->rank;
  }
  if (!targets_.emplace(PairKey(merge.left, merge.right), MergeTarget{rank, merge.result}).second) {
    return absl::InvalidArgumentError(absl::StrCat("merge ", position, ", ", Quoted(TokenBytes(merge.left)), " with ",
                                                   Quoted(TokenBytes(merge.right)), ", occurs twice"));
  }
  return absl::OkStatus();
}

absl::Status BpeVocab::TakeSuperwords(BpeVocabParts& parts) {
  superwords_ = std::move(parts.superwords);
  if (!has_superwords()) {
    superwords_.chunk_bytes = 0;
    return absl::OkStatus();
  }
  if (superwords_.chunk_bytes < 2 || superwords_.chunk_bytes > kMaxSuperwordChunkBytes) {
    return absl::InvalidArgumentError(absl::StrCat("superword chunk_bytes is ", superwords_.chunk_bytes, "; range [2, ",
                                                   kMaxSuperwordChunkBytes, "]"));
  }
  if (equal_ranks_ || !cut_tokens_.empty() || !whole_pieces_.empty()) {
    return absl::InvalidArgumentError("superwords do not go with equal ranks, cut tokens or whole pieces");
  }
  std::vector<uint32_t> made_at(size());  // the highest rank that makes a token, counted from 1 in both stages
  uint32_t rank = 0;
  for (const BpeMerge& merge : merges_) made_at[merge.result] = ++rank;
  absl::flat_hash_set<uint64_t> seen;
  seen.reserve(superwords_.merges.size());
  for (size_t i = 0; i < superwords_.merges.size(); ++i) {
    const BpeMerge& merge = superwords_.merges[i];
    CLM_RETURN_IF_ERROR(CheckMerge(merge, absl::StrCat("superword merge ", i)));
    if (FindMerge(merge.left, merge.right) != nullptr || !seen.insert(PairKey(merge.left, merge.right)).second) {
      return absl::InvalidArgumentError(absl::StrCat("superword merge ", i, ", ", Quoted(TokenBytes(merge.left)),
                                                     " with ", Quoted(TokenBytes(merge.right)), ", occurs twice"));
    }
    made_at[merge.result] = ++rank;
  }
  rank = static_cast<uint32_t>(merges_.size());
  for (size_t i = 0; i < superwords_.merges.size(); ++i) {
    const BpeMerge& merge = superwords_.merges[i];
    ++rank;
    if (made_at[merge.left] < rank && made_at[merge.right] < rank) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("superword merge ", i, " joins a token that it or a later merge makes"));
  }
  return absl::OkStatus();
}

absl::Status BpeVocab::TakeWholePieces(BpeVocabParts& parts) {
  whole_pieces_ = std::move(parts.whole_pieces);
  std::sort(whole_pieces_.begin(), whole_pieces_.end());
  for (const SymbolId id : whole_pieces_) {
    if (id >= size() || IsSpecial(id)) {
      return absl::InvalidArgumentError(
          absl::StrCat("whole piece ", id, " is ", id < size() ? "a special token" : "not in the vocabulary"));
    }
    if (!whole_piece_ids_.emplace(TokenBytes(id), id).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("whole piece ", id, ", ", Quoted(TokenBytes(id)), ", occurs twice"));
    }
    longest_whole_piece_ = std::max(longest_whole_piece_, TokenBytes(id).size());
  }
  return absl::OkStatus();
}

void BpeVocab::PadTokens() {
  padded_tokens_.resize(size());
  for (SymbolId id = 0; id < size(); ++id) {
    const absl::string_view bytes = TokenBytes(id);
    if (bytes.empty() || bytes.size() > PaddedToken::kMaxBytes) continue;
    std::copy(bytes.begin(), bytes.end(), padded_tokens_[id].bytes.begin());
    padded_tokens_[id].length = static_cast<uint8_t>(bytes.size());
  }
}

// Order and widths are part of every stored fingerprint: change them and all tokenizers get new ones.
void BpeVocab::ComputeFingerprint() {
  ByteWriter out;
  out.WriteBytes("clm byte-level BPE vocabulary 1\n");
  out.WriteU32(size());
  for (SymbolId id = 0; id < size(); ++id) {
    const absl::string_view bytes = TokenBytes(id);
    out.WriteU32(static_cast<uint32_t>(bytes.size()));
    out.WriteBytes(bytes);
  }
  const auto write_merges = [&out](std::span<const BpeMerge> merges) {
    out.WriteU32(static_cast<uint32_t>(merges.size()));
    for (const BpeMerge& merge : merges) {
      out.WriteU32(merge.left);
      out.WriteU32(merge.right);
      out.WriteU32(merge.result);
    }
  };
  write_merges(merges_);
  out.WriteU32(static_cast<uint32_t>(specials_.size()));
  for (const BpeSpecial& special : specials_) {
    out.WriteU32(special.id);
    out.WriteU32(static_cast<uint32_t>(special.text.size()));
    out.WriteBytes(special.text);
  }
  out.WriteU32(boundary_);
  // Written only where they are used: vocabularies from before they existed keep their fingerprints.
  if (equal_ranks_) out.WriteBytes("equal ranks\n");
  const auto write_ids = [&out](absl::string_view name, std::span<const SymbolId> ids) {
    if (ids.empty()) return;
    out.WriteBytes(name);
    out.WriteU32(static_cast<uint32_t>(ids.size()));
    for (const SymbolId id : ids) out.WriteU32(id);
  };
  write_ids("cut tokens\n", cut_tokens_);
  write_ids("whole pieces\n", whole_pieces_);
  if (has_superwords()) {
    out.WriteBytes("superwords\n");
    out.WriteU32(superwords_.chunk_bytes);
    write_merges(superwords_.merges);
  }
  fingerprint_ = Sha256Of(out.view());
}

}  // namespace clm
