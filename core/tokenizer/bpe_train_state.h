// What a training of merges leaves in a file, so that another process can go on.
//
//   state   "clm bpe train state 1\n" | CRC-32C of the rest u32 | identity: varint length, bytes | merges: varint
//   count,
//           then left and right as varints, in order (results are not stored: they are 256, 257, ...)
//
// Thread-safety: none needed. Memory: 6 bytes per merge.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"
#include "core/tokenizer/merge_learner.h"

namespace clm {

// `identity`: what the merges were learned from and by which rules.
absl::Status WriteTrainState(FileSystem& files, const std::string& path, absl::string_view identity,
                             const BpeLearned& learned);

// BytesOnly() when there is no such file. FAILED_PRECONDITION when it has another identity; DATA_LOSS when it is
// damaged.
absl::StatusOr<BpeLearned> ReadTrainState(const FileSystem& files, const std::string& path, absl::string_view identity);

}  // namespace clm
