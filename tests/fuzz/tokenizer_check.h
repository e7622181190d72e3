// What holds for every tokenizer that was read, whatever it was read from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/tokenizer/bpe_reference.h"
#include "core/tokenizer/piece_encoder.h"
#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/tokenizer_file.h"

namespace clm::fuzzing {

inline constexpr absl::string_view kText =
    "ab abc  don't 12345 caf\xC3\xA9 \xE4\xB8\xAD\xE6\x96\x87\n\n <|endoftext|> \xFF\xC3 "
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";

// It encodes kText losslessly, in pieces as at once, and as the reference does; what is written for it reads back as
// itself, or is refused.
inline void CheckTokenizer(TokenizerDefinition definition) {
  const Sha256Digest fingerprint = definition.vocab.fingerprint();
  const std::string boundary = definition.vocab.FindSpecial(definition.vocab.boundary())->text;
  const absl::StatusOr<std::string> json = WriteTokenizerJson(definition.vocab, definition.pattern);
  if (json.ok()) {
    const absl::StatusOr<TokenizerDefinition> again = ParseTokenizerJson(*json, {.boundary = boundary});
    CLM_CHECK(again.ok());
    CLM_CHECK(again->vocab.fingerprint() == fingerprint);
    CLM_CHECK(again->pattern == definition.pattern);
  }
  const auto tokenizer = Tokenizer::Create(std::move(definition.vocab), definition.pattern);
  CLM_CHECK(tokenizer.ok());
  const absl::StatusOr<std::vector<SymbolId>> ids = (*tokenizer)->Encode(kText);
  CLM_CHECK(ids.ok());
  const absl::StatusOr<std::string> text = (*tokenizer)->Decode(*ids);
  CLM_CHECK(text.ok() && *text == kText);

  const std::unique_ptr<StreamingBpeEncoder> stream = (*tokenizer)->NewEncoder();
  std::vector<SymbolId> streamed;
  for (size_t begin = 0; begin < kText.size(); begin += 7)
    CLM_CHECK(stream->Push(kText.substr(begin, 7), streamed).ok());
  CLM_CHECK(stream->Finish(streamed).ok());
  CLM_CHECK(streamed == *ids);

  if ((*tokenizer)->vocab().has_superwords()) {
    std::vector<uint32_t> ends;
    (*tokenizer)->pretokenizer().Split(kText, /*is_end=*/true, ends);
    std::vector<std::string> split;
    size_t begin = 0;
    for (const uint32_t end : ends) {
      split.emplace_back(kText.substr(begin, end - begin));
      begin = end;
    }
    CLM_CHECK(BpeEncodeSuperwordsReference((*tokenizer)->vocab(), split) == *ids);
    return;
  }

  PieceEncoder pieces((*tokenizer)->encode_tables());
  for (const absl::string_view piece : {"abc", "aaaaaaaa", "abcabcab", "ab ab", "\xE4\xB8\xAD"}) {
    std::vector<SymbolId> got;
    pieces.Encode(piece, got);
    CLM_CHECK(got == BpeEncodeReference((*tokenizer)->vocab(), piece));
  }
}

}  // namespace clm::fuzzing
