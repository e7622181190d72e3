// Split: which of a corpus's three sides a document belongs to, decided by its bytes alone.
//
// The hash of a document is the first 8 bytes, big-endian, of the SHA-256 of its ORIGINAL bytes. So a document and its
// copies always lie on one side, whatever file, order or machine they come from, and adding documents moves none.
//
// build: tokenizer, universe and model learn from it. selection: chooses between candidates. validation: only measured.
// Determinism: same on every platform. Thread-safety: values and pure functions; DocumentSetDigest belongs to one
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/digest.h"

namespace clm {

enum class Split : uint8_t { kBuild = 0, kSelection = 1, kValidation = 2 };
inline constexpr std::array<Split, 3> kAllSplits = {Split::kBuild, Split::kSelection, Split::kValidation};

// "build", "selection", "validation".
absl::string_view SplitName(Split split);
// INVALID_ARGUMENT naming the value and the three names.
absl::StatusOr<Split> ParseSplit(absl::string_view name);

// Shares in parts per million of the hash range; build has the rest. A share of 0 leaves that side out.
struct SplitOptions {
  uint32_t selection_ppm = 50'000;   // default 5 %
  uint32_t validation_ppm = 50'000;  // default 5 %

  uint32_t build_ppm() const { return 1'000'000 - selection_ppm - validation_ppm; }
  absl::Status Validate() const;  // INVALID_ARGUMENT when nothing would be left for build
};

uint64_t DocumentHash(absl::string_view document);
uint64_t DocumentHash(const Sha256Digest& document_sha256);
// Requires valid options. build owns the low end of the hash range, validation the high end.
Split SplitOf(uint64_t document_hash, const SplitOptions& options);

// INVALID_ARGUMENT naming each side that has a share but got no document, or whose documents are all empty, e.g.
// because the corpus is tiny.
struct SplitCounts {
  std::array<uint64_t, 3> documents{};
  std::array<uint64_t, 3> original_bytes{};

  void Add(Split split, uint64_t bytes);
  absl::Status Check(const SplitOptions& options) const;
};

// Identity of a sequence of documents: SHA-256 over the SHA-256 of each document, in order. Equal digests mean equal
// documents in equal order; reports carry it so that only like is compared with like.
class DocumentSetDigest {
 public:
  void Add(absl::string_view document) { Add(Sha256Of(document)); }
  void Add(const Sha256Digest& document_sha256);
  // 64 hex digits. Ends the computation.
  std::string Finish() { return ToHex(hash_.Finish()); }

 private:
  Sha256 hash_;
};

}  // namespace clm
