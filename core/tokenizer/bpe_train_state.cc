#include "core/tokenizer/bpe_train_state.h"

#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/checksum.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/record_file.h"

namespace clm {
namespace {

constexpr absl::string_view kMagic = "clm bpe train state 1\n";
constexpr uint64_t kMaxStateBytes = uint64_t{64} << 20;

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(path, ": ", what));
}

// The merges in `in`; false when they are not such as a trainer writes.
bool TakeMerges(absl::string_view in, BpeLearned& learned) {
  uint64_t count = 0;
  if (!TakeVarint(in, count) || count > kMaxBpeMerges) return false;
  size_t bytes = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t left = 0;
    uint64_t right = 0;
    const size_t known = learned.tokens.size();
    if (!TakeVarint(in, left) || !TakeVarint(in, right) || left >= known || right >= known) return false;
    bytes += learned.tokens[left].size() + learned.tokens[right].size();
    if (bytes > kMaxBpeTokenBytesTotal) return false;
    learned.merges.push_back({static_cast<SymbolId>(left), static_cast<SymbolId>(right), static_cast<SymbolId>(known)});
    learned.tokens.push_back(learned.tokens[left] + learned.tokens[right]);
  }
  return in.empty();
}

}  // namespace

absl::Status WriteTrainState(FileSystem& files, const std::string& path, absl::string_view identity,
                             const BpeLearned& learned) {
  std::string body;
  AppendVarint(identity.size(), body);
  body.append(identity.data(), identity.size());
  AppendVarint(learned.merges.size(), body);
  for (const BpeMerge& merge : learned.merges) {
    AppendVarint(merge.left, body);
    AppendVarint(merge.right, body);
  }
  ByteWriter out;
  out.WriteBytes(kMagic);
  out.WriteU32(Crc32c(body));
  out.WriteBytes(body);
  return WriteFileAtomically(files, path, out.view());
}

absl::StatusOr<BpeLearned> ReadTrainState(const FileSystem& files, const std::string& path,
                                          absl::string_view identity) {
  BpeLearned learned = BytesOnly();
  if (!files.Exists(path)) return learned;
  CLM_ASSIGN_OR_RETURN(const std::string data, ReadFile(files, path, kMaxStateBytes));
  ByteReader in(data);
  absl::string_view magic;
  uint32_t crc = 0;
  if (!in.ReadBytes(kMagic.size(), magic) || magic != kMagic || !in.ReadU32(crc)) {
    return Damaged(path, "not the state of a tokenizer's training");
  }
  absl::string_view body = absl::string_view(data).substr(in.position());
  if (Crc32c(body) != crc) return Damaged(path, "checksum does not match");
  uint64_t identity_bytes = 0;
  if (!TakeVarint(body, identity_bytes) || identity_bytes > body.size()) return Damaged(path, "no identity");
  if (body.substr(0, identity_bytes) != identity) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": the state of another training (",
                                                      body.substr(0, identity_bytes), "; this one is ", identity, ")"));
  }
  body.remove_prefix(identity_bytes);
  if (!TakeMerges(body, learned)) return Damaged(path, "the merges are not in order");
  return learned;
}

}  // namespace clm
