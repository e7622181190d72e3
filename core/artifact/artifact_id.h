// ArtifactId: the name of an immutable folder in the store.
//
//   artifacts/corpus/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//             kind   64 lower-case hex digits: SHA-256 of the content (manifest.h, ContentDigest)
//
// Invariant: the digest covers the kind, so two ids with the same digits are the same id.
// Thread-safety: value types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

// What an artifact holds. The numbers are those of clm.v1.ArtifactKind.
enum class ArtifactKind : uint8_t {
  kTokenizer = 10,   // tokenizer.json
  kUniverse = 20,    // universe.json
  kCorpus = 30,      // id streams with original byte counts
  kCheckpoint = 40,  // config.json, model.safetensors, state of training
  kReport = 50,      // report.json
  kBlob = 60,        // an uploaded file, as it came
};

// In the order of their numbers.
inline constexpr std::array<ArtifactKind, 6> kAllArtifactKinds = {
    ArtifactKind::kTokenizer,  ArtifactKind::kUniverse, ArtifactKind::kCorpus,
    ArtifactKind::kCheckpoint, ArtifactKind::kReport,   ArtifactKind::kBlob,
};

// "tokenizer", "universe", ...: lower-case, also the name of the folder.
absl::string_view ArtifactKindName(ArtifactKind kind);
// Nothing for any other name.
std::optional<ArtifactKind> ParseArtifactKind(absl::string_view name);

class ArtifactId {
 public:
  static constexpr size_t kHexDigits = 64;
  static constexpr size_t kShortDigits = 12;

  // No artifact has this id: a blob with no digits.
  ArtifactId() = default;

  // INVALID_ARGUMENT unless `hex` is 64 lower-case hex digits.
  static absl::StatusOr<ArtifactId> Create(ArtifactKind kind, absl::string_view hex);
  // From Name()'s form. INVALID_ARGUMENT, quoting it, for anything else. ArtifactStore::Resolve accepts less.
  static absl::StatusOr<ArtifactId> Parse(absl::string_view name);

  ArtifactKind kind() const { return kind_; }
  // 64 lower-case hex digits; empty for a default-constructed id.
  const std::string& hex() const { return hex_; }
  bool empty() const { return hex_.empty(); }
  // "artifacts/{kind}/{hex}".
  std::string Name() const;
  // The first 12 digits, for people.
  std::string ShortId() const { return hex_.substr(0, kShortDigits); }

  friend bool operator==(const ArtifactId&, const ArtifactId&) = default;
  // By kind, then digits.
  friend auto operator<=>(const ArtifactId&, const ArtifactId&) = default;  // NOLINT(modernize-use-nullptr)
  template <typename H>
  friend H AbslHashValue(H state, const ArtifactId& id) {
    return H::combine(std::move(state), id.kind_, id.hex_);
  }

 private:
  ArtifactId(ArtifactKind kind, absl::string_view hex) : kind_(kind), hex_(hex) {}

  ArtifactKind kind_ = ArtifactKind::kBlob;
  std::string hex_;
};

}  // namespace clm
