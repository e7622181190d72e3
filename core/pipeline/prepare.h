// Prepare: documents to tokenizer, universe and corpus.
//
//   1 read      documents are counted, hashed, split and spooled to the work folder
//   2 tokenizer learned from the build split, or taken from an artifact
//   3 universe  learned from the build split's base ids (selection split where the options ask for it)
//   4 encode    every document in every representation, decoded again and compared
//   5 commit    tokenizer, universe, corpus: artifacts whose identity holds no times and no paths
//
// A document whose round trip fails ends the operation before anything is committed. A second attempt in the same work
// folder takes over the tables of steps 2 and 3 when they were made from the same documents and options. Equal
// documents and options give equal artifacts, whatever the number of threads or attempts.
//
// Memory: steps 2 and 3 hold what bpe_trainer.h and universe_builder.h say, at most memory_limit_bytes if that is
// given; nothing else grows with the corpus but 16 bytes per document.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/artifact/artifact_id.h"
#include "core/coordinate/universe_options.h"
#include "core/data/corpus_reader.h"
#include "core/data/prepare_report.h"
#include "core/data/split.h"
#include "core/pipeline/context.h"
#include "core/text/pretokenizer.h"

namespace clm {

struct PrepareOptions {
  static constexpr uint32_t kMinVocabSize = 257;
  static constexpr uint32_t kMaxVocabSize = uint32_t{1} << 20;

  std::vector<std::string> inputs;  // files, folders, globs
  CorpusReaderOptions reader;
  SplitOptions split;
  // Base vocabulary, special tokens included. Range [kMinVocabSize, kMaxVocabSize]. Fewer when the text has no more
  // merges.
  uint32_t vocab_size = 4096;
  // Of the pre-tokenizer, as in core/text/pretokenizer.h.
  std::string pattern{kGpt2Pattern.data(), kGpt2Pattern.size()};
  // As in BpeTrainerOptions: entries learned inside pieces, the others being superwords. 0: no superwords.
  uint32_t superword_from = 0;
  // Use this instead of learning a tokenizer: a tokenizer, or a blob that holds a tokenizer.json or a rank file. Empty
  // to learn.
  ArtifactId tokenizer;
  // As in RankFileOptions; needed for a rank file.
  std::string rank_file_encoding;
  // layers or nodes_per_layer 0: no universe.
  UniverseOptions universe;
  // A universe whose layers come first; made on the tokenizer that is used. Empty: none.
  ArtifactId extended_universe;
  // For learning tokenizer and universe, in bytes. 0: no limit; else as in BpeTrainerOptions.
  uint64_t memory_limit_bytes = 0;
  // Streams to write, each once: "byte", "token", "coordinate" (needs a universe).
  std::vector<std::string> representations = {"token", "coordinate"};

  bool wants_universe() const { return universe.layers > 0 && universe.nodes_per_layer > 0; }
  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

struct PrepareOutcome {
  ArtifactId corpus;
  ArtifactId tokenizer;
  ArtifactId universe;  // empty without one
  PrepareReport report;
  std::vector<std::string> bad_line_examples;   // "file:line: reason"
  std::map<std::string, uint32_t> vocab_sizes;  // by representation
};

// INVALID_ARGUMENT: no documents, an empty split, too many bad lines. DATA_LOSS: a document that did not come back
// equal.
absl::StatusOr<PrepareOutcome> RunPrepare(const PrepareOptions& options, const PipelineContext& context);

}  // namespace clm
