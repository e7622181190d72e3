// libFuzzer target: any bytes as universe.json. What is accepted must be written again as the same universe, fold and
// unfold exactly, and agree with itself about what is canonical. Seeds: tests/golden/universe/v1.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/check.h"
#include "core/coordinate/canonical.h"
#include "core/coordinate/folder.h"
#include "core/coordinate/unfolder.h"
#include "core/coordinate/universe_file.h"

namespace {

constexpr uint32_t kMaxVocab = 1 << 12;
constexpr uint64_t kMaxLength = 1 << 12;  // of one coordinate

void CheckFolds(const clm::Universe& universe, const uint8_t* data, size_t size) {
  const size_t count = std::min<size_t>(size, 512);
  std::vector<clm::SymbolId> ids(count);
  std::vector<uint8_t> starts(count);
  for (size_t i = 0; i < count; ++i) {
    ids[i] = static_cast<clm::SymbolId>(data[i] % universe.base_size());
    starts[i] = data[i] >> 7;
  }
  const clm::Folder folder(universe);
  const auto folded = folder.Fold(ids, starts);
  CLM_CHECK(folded.ok());
  std::vector<clm::SymbolId> restored;
  CLM_CHECK(clm::Unfolder(universe).Unfold(*folded, restored).ok() && restored == ids);
  const auto canonical = clm::CanonicalTest(universe).IsCanonical(*folded, starts);
  CLM_CHECK(canonical.ok() && *canonical);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = clm::ParseUniverse({reinterpret_cast<const char*>(data), size});
  if (!file.ok()) {
    CLM_CHECK(!file.status().message().empty() && file.status().message().size() < 1024);
    return 0;
  }
  const auto again = clm::ParseUniverse(clm::FormatUniverse(*file));
  CLM_CHECK(again.ok() && again->universe.content_sha256() == file->universe.content_sha256());
  CLM_CHECK(again->frequencies == file->frequencies && again->options == file->options);
  const clm::Universe& universe = file->universe;
  if (universe.vocab_size() > kMaxVocab) return 0;
  for (clm::SymbolId id = 0; id < universe.vocab_size(); ++id) {
    if (universe.Length(id) > kMaxLength) return 0;
  }
  CheckFolds(universe, data, size);
  return 0;
}
