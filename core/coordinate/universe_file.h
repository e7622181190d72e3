// universe.json: a universe with how it was learned. docs/formats/universe.md has the whole format.
//
//   {"format": "clm-universe-1", "version": "dc-v1", "base_vocab_size": 256, "boundary_ids": [0],
//    "tokenizer_sha256": "<64 hex>", "join_rules": ["any"], "options": {...}, "stats": [{...}],
//    "content_sha256": "<64 hex>", "layers": [[{"node_id": 256, "expansion": [1, 2], "layer": 1, "frequency": 8}]]}
//
// The writer is deterministic. The reader refuses unknown or missing keys, wrong types and everything that
// Universe::Create refuses. It also reads files without "format" that hold "version", "base_vocab_size" (256) and
// "layers" only, as CoordCompressCodec writes them, if every expansion has two symbols.
//
// Errors of reading: INVALID_ARGUMENT for what is malformed, RESOURCE_EXHAUSTED above a limit, DATA_LOSS when
// content_sha256 does not belong to the table. Messages name layer and node.
// Thread-safety: functions without state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"
#include "core/coordinate/universe.h"
#include "core/coordinate/universe_builder.h"
#include "core/coordinate/universe_options.h"

namespace clm {

inline constexpr size_t kMaxUniverseFileBytes = size_t{64} << 20;

struct UniverseFile {
  Universe universe;
  // By coordinate (id - base_size): how often it was folded in the documents it was learned from.
  std::vector<uint64_t> frequencies;
  // Fingerprint of the tokenizer whose ids these are, 64 hex digits; empty if the base is plain bytes or unknown.
  std::string tokenizer_sha256;
  UniverseOptions options;
  std::vector<UniverseLayerStats> stats;  // by layer
};

// Requires frequencies and stats of the universe's sizes.
std::string FormatUniverse(const UniverseFile& file);
absl::StatusOr<UniverseFile> ParseUniverse(absl::string_view text);

absl::Status WriteUniverse(FileSystem& files, const std::string& path, const UniverseFile& file);
absl::StatusOr<UniverseFile> ReadUniverse(const FileSystem& files, const std::string& path);

}  // namespace clm
