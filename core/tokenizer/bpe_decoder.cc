#include "core/tokenizer/bpe_decoder.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

// Requires id < vocab.size().
absl::string_view BytesOf(const BpeVocab& vocab, SymbolId id, const BpeDecoderOptions& options) {
  const absl::string_view bytes = vocab.TokenBytes(id);
  if (!bytes.empty() || !options.spell_specials) return bytes;
  return vocab.FindSpecial(id)->text;
}

absl::Status OutOfVocabulary(const BpeVocab& vocab, SymbolId id, uint64_t position) {
  return absl::OutOfRangeError(
      absl::StrCat("id ", id, " at position ", position, "; vocabulary size is ", vocab.size()));
}

constexpr size_t kBatch = 64;
constexpr size_t kBufferBytes = 4096;
constexpr size_t kSampledIds = 1024;

// Copies the bytes of ids to `next` as long as they are short tokens; returns how many ids that were. Copies of fixed
// size are several times faster than copies of a token's own length. Requires 16 bytes of room per id.
size_t CopyShortTokens(std::span<const BpeVocab::PaddedToken> tokens, std::span<const SymbolId> ids, char*& next) {
  static_assert(sizeof(BpeVocab::PaddedToken) == 16);
  char* out = next;
  size_t i = 0;
  for (; i < ids.size(); ++i) {
    if (ids[i] >= tokens.size()) break;
    const BpeVocab::PaddedToken& token = tokens[ids[i]];
    std::memcpy(out, &token, sizeof token);
    if (token.length == BpeVocab::PaddedToken::kLong) break;
    out += token.length;
  }
  next = out;
  return i;
}

absl::Status AppendBytes(const BpeVocab& vocab, std::span<const SymbolId> ids, const BpeDecoderOptions& options,
                         uint64_t first_position, std::string& out) {
  const size_t before = out.size();
  std::array<char, kBufferBytes> buffer;
  char* next = buffer.data();
  const auto flush = [&] {
    out.append(buffer.data(), static_cast<size_t>(next - buffer.data()));
    next = buffer.data();
  };
  bool is_sampled = false;
  for (size_t position = 0; position < ids.size();) {
    if (static_cast<size_t>(next - buffer.data()) > kBufferBytes - kBatch * sizeof(BpeVocab::PaddedToken)) flush();
    const size_t wanted = std::min(kBatch, ids.size() - position);
    const size_t copied = CopyShortTokens(vocab.padded_tokens(), ids.subspan(position, wanted), next);
    position += copied;
    if (!is_sampled && position >= kSampledIds) {  // these tell how much room the others will need
      is_sampled = true;
      flush();
      out.reserve(before + (out.size() - before) * (ids.size() / kSampledIds + 1));
    }
    if (copied == wanted) continue;
    if (ids[position] >= vocab.size()) {
      out.resize(before);
      return OutOfVocabulary(vocab, ids[position], first_position + position);
    }
    flush();
    const absl::string_view bytes = BytesOf(vocab, ids[position], options);
    out.append(bytes.data(), bytes.size());
    ++position;
  }
  flush();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint64_t> BpeDecodedBytes(const BpeVocab& vocab, std::span<const SymbolId> ids,
                                         const BpeDecoderOptions& options) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= vocab.size()) return OutOfVocabulary(vocab, ids[i], i);
    bytes += BytesOf(vocab, ids[i], options).size();
  }
  return bytes;
}

absl::Status BpeDecode(const BpeVocab& vocab, std::span<const SymbolId> ids, std::string& out,
                       const BpeDecoderOptions& options) {
  return AppendBytes(vocab, ids, options, 0, out);
}

absl::Status StreamingBpeDecoder::Push(std::span<const SymbolId> ids, std::string& out) {
  CLM_RETURN_IF_ERROR(AppendBytes(vocab_, ids, options_, position_, out));
  position_ += ids.size();
  return absl::OkStatus();
}

}  // namespace clm
