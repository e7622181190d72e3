// WriteStream: the id stream of one split in one representation, each document proven before it is written.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/progress.h"
#include "core/data/id_stream.h"
#include "core/pipeline/context.h"
#include "core/pipeline/document_spool.h"
#include "core/representation/representation.h"

namespace clm {

// Encodes every document, decodes it again, compares, and appends it to the stream at `path`. DATA_LOSS naming
// document, representation and the first differing byte when it does not come back; nothing is left at `path` then.
// Progress counts ORIGINAL bytes in `progress`, which is moved on.
absl::StatusOr<IdStreamHeader> WriteStream(const DocumentSpool& documents, const Representation& representation,
                                           const IdStreamOptions& options, const std::string& path,
                                           const PipelineContext& context, Progress& progress);

}  // namespace clm
