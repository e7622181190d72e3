#include "core/tokenizer/bpe_decoder.h"

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

absl::StatusOr<uint64_t> CountBytes(const BpeVocab& vocab, std::span<const SymbolId> ids,
                                    const BpeDecoderOptions& options, uint64_t first_position) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= vocab.size()) {
      return absl::OutOfRangeError(
          absl::StrCat("id ", ids[i], " at position ", first_position + i, "; vocabulary size is ", vocab.size()));
    }
    bytes += BytesOf(vocab, ids[i], options).size();
  }
  return bytes;
}

absl::Status AppendBytes(const BpeVocab& vocab, std::span<const SymbolId> ids, const BpeDecoderOptions& options,
                         uint64_t first_position, std::string& out) {
  CLM_ASSIGN_OR_RETURN(const uint64_t bytes, CountBytes(vocab, ids, options, first_position));
  if (out.capacity() - out.size() < bytes) out.reserve(out.size() + static_cast<size_t>(bytes) + out.size() / 2);
  for (const SymbolId id : ids) {
    const absl::string_view token = BytesOf(vocab, id, options);
    out.append(token.data(), token.size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint64_t> BpeDecodedBytes(const BpeVocab& vocab, std::span<const SymbolId> ids,
                                         const BpeDecoderOptions& options) {
  return CountBytes(vocab, ids, options, 0);
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
