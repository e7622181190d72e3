// A small tokenizer and universes, learned from a built-in text, for the tests of representations.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/coordinate/universe_builder.h"
#include "core/representation/pretoken_encoder.h"
#include "core/representation/registry.h"
#include "core/tokenizer/bpe_trainer.h"
#include "core/tokenizer/tokenizer.h"

namespace clm::testing {

// Prose, code, numbers, runs of spaces, two scripts; every sentence more than once, so that pairs recur.
inline std::vector<std::string> SmallCorpus() {
  const std::vector<std::string> lines = {
      "The compressor reads the text and the decompressor writes the text again.\n",
      "Bits per byte count the bits; bytes per bit count nothing we'd want to know.\n",
      "for (int i = 0; i < 10; ++i) {\n    total += values[i] * 2;\n}\n",
      "2026-03-01 12:00:00 INFO request 1001 took 15 ms\n2026-03-01 12:00:01 INFO request 1002 took 17 ms\n",
      "Привет, мир. Привет, текст. Это слово и ещё слово.\n",
      "one one one one two two two two aaaaaaaaaaaaaaaa bbbbbbbb\n"};
  std::vector<std::string> documents;
  for (size_t d = 0; d < 24; ++d) documents.push_back(lines[d % 6] + lines[(d / 6 + d + 1) % 6] + lines[(d * 5) % 6]);
  return documents;
}

// `vocab_size` entries with "<|endoftext|>" as the last.
inline std::shared_ptr<const Tokenizer> SmallTokenizer(uint32_t vocab_size = 320) {
  auto trainer = BpeTrainer::Create({.vocab_size = vocab_size});
  CLM_CHECK(trainer.ok());
  for (const std::string& document : SmallCorpus()) CLM_CHECK(trainer->AddDocument(document).ok());
  auto vocab = trainer->Train();
  CLM_CHECK(vocab.ok());
  auto tokenizer = Tokenizer::Create(*std::move(vocab), kGpt2Pattern);
  CLM_CHECK(tokenizer.ok());
  return *std::move(tokenizer);
}

inline Universe SmallUniverse(const Tokenizer& tokenizer, const UniverseOptions& options) {
  auto builder = UniverseBuilder::Create(options, tokenizer.vocab_size(), {tokenizer.boundary()});
  CLM_CHECK(builder.ok());
  PretokenEncoder encoder(tokenizer);
  for (const std::string& document : SmallCorpus()) {
    PretokenizedIds base;
    CLM_CHECK(encoder.Encode(document, base).ok());
    base.ids.push_back(tokenizer.boundary());
    base.starts.push_back(1);
    CLM_CHECK(builder->AddDocument(base.ids, base.starts).ok());
  }
  ThreadPool pool(1);
  auto learned = builder->Build(pool);
  CLM_CHECK(learned.ok());
  return learned->universe;
}

// Small tables of a universe preset ("pairs", "w", "ws").
inline RepresentationTables SmallTables(absl::string_view preset) {
  const std::shared_ptr<const Tokenizer> tokenizer = SmallTokenizer();
  UniverseOptions options = UniversePreset(preset).value();
  options.nodes_per_layer = options.layers > 2 ? 8 : 64;
  options.superword_nodes_per_layer = 8;
  options.min_count = 2;
  return {.tokenizer = tokenizer,
          .universe = SmallUniverse(*tokenizer, options),
          .universe_tokenizer = tokenizer->fingerprint()};
}

}  // namespace clm::testing
