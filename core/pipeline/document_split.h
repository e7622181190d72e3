// SplitDocuments: step 1 of Prepare: reads documents, counts and hashes them, and spools each to its split.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/data/corpus_reader.h"
#include "core/data/split.h"
#include "core/pipeline/context.h"
#include "core/pipeline/document_spool.h"

namespace clm {

struct SpooledSplits {
  std::array<std::unique_ptr<DocumentSpool>, 3> spools;  // indexed by Split
  std::array<std::string, 3> documents_sha256;           // DocumentSetDigest of each
  CorpusReaderStats stats;

  const DocumentSpool& spool(Split split) const { return *spools[static_cast<size_t>(split)]; }
  const std::string& sha256(Split split) const { return documents_sha256[static_cast<size_t>(split)]; }
};

// Spool files go to the context's work folder, replacing those of an earlier attempt. INVALID_ARGUMENT when a split
// with a share stays empty; otherwise as DocumentReader.
absl::StatusOr<SpooledSplits> SplitDocuments(const std::vector<std::string>& inputs,
                                             const CorpusReaderOptions& reader_options,
                                             const SplitOptions& split_options, const PipelineContext& context);

}  // namespace clm
