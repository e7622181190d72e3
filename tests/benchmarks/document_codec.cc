#include "tests/benchmarks/document_codec.h"

#include <span>
#include <string>
#include <utility>

#include "core/base/status_macros.h"
#include "core/tokenizer/bpe_decoder.h"

namespace clm::benchmarking {
namespace {

// Enough to pay for handing a group to a thread and to fill huge pages, little enough to share the work evenly.
constexpr size_t kGroupBytes = size_t{1} << 20;

std::vector<IdGroup> CutIntoGroups(const std::vector<absl::string_view>& documents) {
  std::vector<IdGroup> groups;
  size_t bytes = kGroupBytes;
  for (size_t i = 0; i < documents.size(); ++i) {
    if (bytes >= kGroupBytes) {
      groups.push_back({.begin = i, .end = i, .items = {}, .lengths = {}});
      bytes = 0;
    }
    bytes += documents[i].size();
    groups.back().end = i + 1;
  }
  return groups;
}

absl::Status EncodeGroup(BpeEncoder& encoder, const std::vector<absl::string_view>& documents, IdGroup& group) {
  size_t bytes = 0;
  for (size_t i = group.begin; i < group.end; ++i) bytes += documents[i].size();
  group.items.reserve(bytes / 2);  // rarely more; memory that no id touches costs nothing
  std::vector<SymbolId> ids;
  for (size_t i = group.begin; i < group.end; ++i) {
    ids.clear();
    CLM_RETURN_IF_ERROR(encoder.Encode(documents[i], ids));
    group.items.insert(group.items.end(), ids.begin(), ids.end());
    group.lengths.push_back(ids.size());
  }
  return absl::OkStatus();
}

}  // namespace

size_t TotalBytes(const std::vector<absl::string_view>& documents) {
  size_t bytes = 0;
  for (const absl::string_view document : documents) bytes += document.size();
  return bytes;
}

size_t TotalIds(const std::vector<IdGroup>& groups) {
  size_t ids = 0;
  for (const IdGroup& group : groups) ids += group.items.size();
  return ids;
}

DocumentCodec::DocumentCodec(std::shared_ptr<const Tokenizer> tokenizer, const DocumentCodecOptions& options)
    : tokenizer_(std::move(tokenizer)), pool_(options.threads) {
  if (!options.cache) options_.cache_slots = 0;
  tokenizer_->encode_tables();  // belongs to loading, not to the first document
}

absl::StatusOr<std::vector<IdGroup>> DocumentCodec::Encode(const std::vector<absl::string_view>& documents) {
  std::vector<IdGroup> groups = CutIntoGroups(documents);
  CLM_RETURN_IF_ERROR(pool_.ParallelFor(groups.size(), {}, [&](size_t i) {
    std::unique_ptr<StreamingBpeEncoder> encoder = Take();
    const absl::Status status = EncodeGroup(encoder->whole_documents(), documents, groups[i]);
    Give(std::move(encoder));
    return status;
  }));
  return groups;
}

absl::StatusOr<std::vector<TextGroup>> DocumentCodec::Decode(const std::vector<IdGroup>& groups) const {
  std::vector<TextGroup> texts;
  std::string text;
  for (const IdGroup& group : groups) {
    TextGroup& decoded =
        texts.emplace_back(TextGroup{.begin = group.begin, .end = group.end, .items = {}, .lengths = {}});
    decoded.items.reserve(kGroupBytes + kGroupBytes / 2);
    std::span<const SymbolId> ids = group.items;
    for (const size_t length : group.lengths) {
      text.clear();
      CLM_RETURN_IF_ERROR(BpeDecode(tokenizer_->vocab(), ids.first(length), text));
      decoded.items.insert(decoded.items.end(), text.begin(), text.end());
      decoded.lengths.push_back(text.size());
      ids = ids.subspan(length);
    }
  }
  return texts;
}

std::unique_ptr<StreamingBpeEncoder> DocumentCodec::Take() {
  {
    absl::MutexLock lock(&mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<StreamingBpeEncoder> encoder = std::move(idle_.back());
      idle_.pop_back();
      return encoder;
    }
  }
  return tokenizer_->NewEncoder(options_);
}

void DocumentCodec::Give(std::unique_ptr<StreamingBpeEncoder> encoder) {
  absl::MutexLock lock(&mutex_);
  idle_.push_back(std::move(encoder));
}

}  // namespace clm::benchmarking
