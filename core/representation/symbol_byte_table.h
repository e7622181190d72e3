// SymbolByteTable: the bytes that each symbol of a vocabulary stands for, in one arena. Decoding with it is a sum of
// lengths, one allocation and copies.
//
// Thread-safety: immutable after Create(). Ownership: owns its bytes; views live as long as it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/coordinate/universe.h"
#include "core/representation/representation.h"

namespace clm {

inline constexpr uint64_t kMaxSymbolBytesTotal = uint64_t{512} << 20;

class SymbolByteTable {
 public:
  // `tokens[id]` are the bytes of id; empty for specials.
  explicit SymbolByteTable(std::span<const absl::string_view> tokens);

  // The bytes of `universe`'s symbols when those of its base symbols are `base`. Requires base.size() ==
  // universe.base_size(). RESOURCE_EXHAUSTED above kMaxSymbolBytesTotal, before anything is allocated.
  static absl::StatusOr<SymbolByteTable> Expand(const SymbolByteTable& base, const Universe& universe);

  uint32_t size() const { return static_cast<uint32_t>(offsets_.size() - 1); }
  // Requires id < size().
  absl::string_view operator[](SymbolId id) const {
    return absl::string_view(arena_).substr(offsets_[id], offsets_[size_t{id} + 1] - offsets_[id]);
  }

  // Appends the bytes of `symbols` to `out`. OUT_OF_RANGE naming position (counted from `first_position`), id and
  // vocabulary size of the first unknown id; `out` is then as it was.
  absl::Status Decode(std::span<const SymbolId> symbols, uint64_t first_position, std::string& out) const;

  // A decoder that must not outlive this table.
  std::unique_ptr<StreamingDecoder> NewDecoder() const;

 private:
  SymbolByteTable() = default;

  std::vector<uint64_t> offsets_ = {0};  // [size() + 1] into arena_
  std::string arena_;
};

}  // namespace clm
