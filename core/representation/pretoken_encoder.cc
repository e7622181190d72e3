#include "core/representation/pretoken_encoder.h"

#include "core/base/check.h"

namespace clm {

PretokenEncoder::PretokenEncoder(const Tokenizer& tokenizer, const BpeEncoderOptions& options)
    : encoder_(tokenizer.encode_tables(), tokenizer.pretokenizer(), options) {
  CLM_CHECK(!options.allow_special);
}

absl::Status PretokenEncoder::Encode(absl::string_view document, PretokenizedIds& out) {
  return encoder_.whole_documents().Encode(document, out.ids, &out.starts);
}

absl::Status PretokenEncoder::Push(absl::string_view bytes, PretokenizedIds& out) {
  return encoder_.Push(bytes, out.ids, &out.starts);
}

absl::Status PretokenEncoder::Finish(PretokenizedIds& out) { return encoder_.Finish(out.ids, &out.starts); }

void PretokenEncoder::Reset() { encoder_.Reset(); }

}  // namespace clm
