#include "core/coordinate/pretoken_types.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr uint64_t kMaxTypes = (uint64_t{1} << 31) - 1;
constexpr uint64_t kMaxArena = uint64_t{1} << 32;
// Symbols gathered before they go to a stream.
constexpr size_t kPieceSymbols = size_t{1} << 14;

}  // namespace

PretokenTypes::PretokenTypes(uint32_t base_size, bool keep_order)
    : keep_order_(keep_order), singles_(base_size), index_(0, Hash{this}, Equal{this}) {}

absl::Status PretokenTypes::Add(std::span<const PackedSymbol> document) {
  size_t begin = 0;
  while (begin < document.size()) {
    if (document[begin] == kPackedSeparator) {
      if (keep_order_) order_.push_back(kPackedSeparator);
      ++begin;
      continue;
    }
    size_t end = begin + 1;
    while (end < document.size() && (document[end] & kPretokenStart) == 0) ++end;
    if (end == begin + 1 && (document[begin] & kPretokenStart) != 0) {
      ++singles_[document[begin] & kIdMask];
      if (keep_order_) order_.push_back(document[begin]);
    } else {
      CLM_RETURN_IF_ERROR(AddPretoken(document.subspan(begin, end - begin)));
    }
    begin = end;
  }
  return absl::OkStatus();
}

absl::Status PretokenTypes::AddPretoken(std::span<const PackedSymbol> pretoken) {
  const auto found = index_.find(Content(pretoken.data(), pretoken.size()));
  if (found != index_.end()) {
    ++types_[*found].count;
    if (keep_order_) order_.push_back(*found);
    return absl::OkStatus();
  }
  if (types_.size() >= kMaxTypes || arena_.size() + pretoken.size() > kMaxArena) {
    return absl::ResourceExhaustedError(absl::StrCat("there are ", types_.size(), " distinct pretokens of ",
                                                     arena_.size(), " symbols, the limits are ", kMaxTypes, " and ",
                                                     kMaxArena, "; set a memory limit"));
  }
  const auto type = static_cast<uint32_t>(types_.size());
  types_.push_back({.begin = arena_.size(), .count = 1});
  arena_.insert(arena_.end(), pretoken.begin(), pretoken.end());
  index_.insert(type);
  if (keep_order_) order_.push_back(type);
  return absl::OkStatus();
}

absl::Status PretokenTypes::WriteTypes(SymbolStream& out) const {
  for (uint32_t type = 0; type < types_.size(); ++type) {
    const Content content = ContentOf(type);
    CLM_RETURN_IF_ERROR(out.AppendWeighted({content.data(), content.size()}, types_[type].count));
  }
  return absl::OkStatus();
}

absl::Status PretokenTypes::Expand(const SymbolStream& types, const CancellationToken& cancel,
                                   SymbolStream& out) const {
  CLM_CHECK(keep_order_);
  std::vector<PackedSymbol> folded;  // by type, each with its separator
  std::vector<uint64_t> begins = {0};
  ThreadPool one(1);
  const auto gather = [&](size_t, const SymbolChunk& chunk) {
    for (size_t t = 0; t < chunk.size(); ++t) {
      if (chunk.symbols[t] == kPackedSeparator) {
        begins.push_back(folded.size());
      } else {
        folded.push_back(chunk.symbols[t]);
      }
    }
    return absl::OkStatus();
  };
  CLM_RETURN_IF_ERROR(types.Visit(0, types.chunk_count(), one, cancel, gather));
  std::vector<PackedSymbol> piece;
  for (const PackedSymbol entry : order_) {
    if ((entry & kPretokenStart) != 0) {
      piece.push_back(entry);
    } else {
      piece.insert(piece.end(), folded.begin() + static_cast<ptrdiff_t>(begins[entry]),
                   folded.begin() + static_cast<ptrdiff_t>(begins[entry + 1]));
    }
    if (piece.size() < kPieceSymbols) continue;
    CLM_RETURN_IF_ERROR(cancel.Check());
    CLM_RETURN_IF_ERROR(out.Append(piece));
    piece.clear();
  }
  return out.Append(piece);
}

absl::Status PretokenTypes::WriteDocuments(SymbolStream& out) const {
  CLM_CHECK(keep_order_);
  for (const PackedSymbol entry : order_) {
    if ((entry & kPretokenStart) != 0) {
      CLM_RETURN_IF_ERROR(out.Append({&entry, 1}));
    } else {
      const Content content = ContentOf(entry);
      CLM_RETURN_IF_ERROR(out.Append({content.data(), content.size()}));
    }
  }
  return absl::OkStatus();
}

void PretokenTypes::Clear() {
  index_ = absl::flat_hash_set<uint32_t, Hash, Equal>(0, Hash{this}, Equal{this});
  arena_ = std::vector<PackedSymbol>();  // an empty list would keep the memory
  types_ = std::vector<Type>();
  order_ = std::vector<PackedSymbol>();
}

uint64_t PretokenTypes::memory_bytes() const {
  return arena_.capacity() * sizeof(PackedSymbol) + types_.capacity() * sizeof(Type) +
         order_.capacity() * sizeof(PackedSymbol) + index_.capacity() * (sizeof(uint32_t) + 1);
}

}  // namespace clm
