// `vocab.json` and `merges.txt`, the two files in which GPT-2 and its kin were published.
//
// vocab.json maps tokens, spelt in GPT-2's alphabet, to ids; merges.txt has a merge per line, two tokens and a space,
// in the order of their ranks, and lines that begin with "#version", which say nothing. The split pattern and which
// tokens are special are not in the files.
//
// Thread-safety: functions without state. Errors: INVALID_ARGUMENT naming the field, line or token; RESOURCE_EXHAUSTED
// over a limit. Limits are those of tokenizer_file.h.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/text/pretokenizer.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/tokenizer_file.h"

namespace clm {

struct MergesFileOptions {
  std::string pattern{kGpt2Pattern.data(), kGpt2Pattern.size()};  // as in core/text/pretokenizer.h
  // Those that vocab.json lacks get the ids behind it.
  std::vector<std::string> specials = {"<|endoftext|>"};
  std::string boundary;  // as in TokenizerFileOptions
};

absl::StatusOr<TokenizerDefinition> ParseMergesFiles(absl::string_view vocab_json, absl::string_view merges_txt,
                                                     const MergesFileOptions& options = {});

struct MergesFiles {
  std::string vocab_json;
  std::string merges_txt;
};

// INVALID_ARGUMENT for what the files cannot say: cut tokens, whole pieces, merges that share a rank, a token
// "#version".
absl::StatusOr<MergesFiles> WriteMergesFiles(const BpeVocab& vocab);

}  // namespace clm
