#include "core/tokenizer/bpe_vocab.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
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
  if (parts.merges.size() > kMaxBpeMerges) {
    return absl::ResourceExhaustedError(
        absl::StrCat("vocabulary has ", parts.merges.size(), " merges; limit ", kMaxBpeMerges));
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
  if (special.text.empty() || special.text.size() > kMaxBpeSpecialBytes) {
    return absl::InvalidArgumentError(absl::StrCat("special token with id ", special.id, " is spelt with ",
                                                   special.text.size(), " bytes; range [1, ", kMaxBpeSpecialBytes,
                                                   "]"));
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
  CLM_RETURN_IF_ERROR(vocab.TakeTokens(parts));
  CLM_RETURN_IF_ERROR(vocab.TakeMerges(parts));
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
    if (!texts.insert(specials_[i].text).second) {
      return absl::InvalidArgumentError(absl::StrCat("special token ", Quoted(specials_[i].text), " occurs twice"));
    }
  }
  boundary_ = parts.boundary;
  if (IsSpecial(boundary_)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the boundary, id ", boundary_, ", is not a special token"));
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
  std::array<bool, 256> seen{};
  absl::flat_hash_map<absl::string_view, SymbolId> ids;
  for (SymbolId id = 0; id < parts.tokens.size(); ++id) {
    const std::string& token = parts.tokens[id];
    if (!IsSpecial(id)) {
      if (token.empty()) return absl::InvalidArgumentError(absl::StrCat("token ", id, " stands for no bytes"));
      const auto [other, is_new] = ids.emplace(token, id);
      if (!is_new) {
        return absl::InvalidArgumentError(
            absl::StrCat("tokens ", other->second, " and ", id, " stand for the same bytes ", Quoted(token)));
      }
      arena_ += token;
      if (token.size() == 1) {
        seen[static_cast<uint8_t>(token[0])] = true;
        byte_ids_[static_cast<uint8_t>(token[0])] = id;
      }
    }
    offsets_.push_back(static_cast<uint32_t>(arena_.size()));
  }
  const auto missing = std::find(seen.begin(), seen.end(), false);
  if (missing == seen.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("no token stands for byte 0x%02X alone", missing - seen.begin()));
}

absl::Status BpeVocab::TakeMerges(BpeVocabParts& parts) {
  merges_ = std::move(parts.merges);
  targets_.reserve(merges_.size());
  std::string joined;
  for (uint32_t rank = 0; rank < merges_.size(); ++rank) {
    const BpeMerge& merge = merges_[rank];
    for (const SymbolId id : {merge.left, merge.right, merge.result}) {
      if (id >= size() || IsSpecial(id)) {
        return absl::InvalidArgumentError(absl::StrCat("merge ", rank, " names id ", id, ", which is ",
                                                       id >= size() ? "not in the vocabulary" : "a special token"));
      }
    }
    joined.assign(TokenBytes(merge.left).data(), TokenBytes(merge.left).size());
    absl::StrAppend(&joined, TokenBytes(merge.right));
    if (TokenBytes(merge.result) != joined) {
      return absl::InvalidArgumentError(absl::StrCat("merge ", rank, " makes ", Quoted(joined), ", but its result ",
                                                     merge.result, " is ", Quoted(TokenBytes(merge.result))));
    }
    if (!targets_.emplace(PairKey(merge.left, merge.right), MergeTarget{rank, merge.result}).second) {
      return absl::InvalidArgumentError(absl::StrCat("merge ", rank, ", ", Quoted(TokenBytes(merge.left)), " with ",
                                                     Quoted(TokenBytes(merge.right)), ", occurs twice"));
    }
  }
  return absl::OkStatus();
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
  out.WriteU32(static_cast<uint32_t>(merges_.size()));
  for (const BpeMerge& merge : merges_) {
    out.WriteU32(merge.left);
    out.WriteU32(merge.right);
    out.WriteU32(merge.result);
  }
  out.WriteU32(static_cast<uint32_t>(specials_.size()));
  for (const BpeSpecial& special : specials_) {
    out.WriteU32(special.id);
    out.WriteU32(static_cast<uint32_t>(special.text.size()));
    out.WriteBytes(special.text);
  }
  out.WriteU32(boundary_);
  fingerprint_ = Sha256Of(out.view());
}

}  // namespace clm
