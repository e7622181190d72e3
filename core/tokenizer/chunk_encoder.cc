#include "core/tokenizer/chunk_encoder.h"

#include "core/tokenizer/record_file.h"

namespace clm {
namespace {

constexpr size_t kMaxCached = size_t{1} << 16;
constexpr size_t kMaxCachedBytes = 32;  // longer pieces seldom come again

}  // namespace

void ChunkEncoder::EncodePiece(absl::string_view piece, std::vector<SymbolId>& out) {
  if (piece.size() > kMaxCachedBytes) {
    merger_.Merge(piece, out);
    return;
  }
  if (cache_.size() >= kMaxCached) cache_.clear();
  const auto [found, is_new] = cache_.try_emplace(piece);
  if (is_new) merger_.Merge(piece, found->second);
  out.insert(out.end(), found->second.begin(), found->second.end());
}

absl::Status ChunkEncoder::EncodeChunk(absl::string_view chunk, std::vector<SymbolId>& out) {
  while (!chunk.empty()) {
    uint64_t bytes = 0;
    if (!TakeVarint(chunk, bytes) || bytes == 0 || bytes > chunk.size()) {
      return absl::DataLossError("a counted chunk does not hold pieces");
    }
    EncodePiece(chunk.substr(0, bytes), out);
    chunk.remove_prefix(bytes);
  }
  return absl::OkStatus();
}

}  // namespace clm
