#include "core/representation/symbol_byte_table.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

class TableDecoder final : public StreamingDecoder {
 public:
  explicit TableDecoder(const SymbolByteTable& table) : table_(table) {}

  absl::Status Push(std::span<const SymbolId> symbols, std::string& out) override {
    CLM_RETURN_IF_ERROR(table_.Decode(symbols, position_, out));
    position_ += symbols.size();
    return absl::OkStatus();
  }

  absl::Status Finish(std::string& /*out*/) override {
    position_ = 0;
    return absl::OkStatus();
  }

 private:
  const SymbolByteTable& table_;
  uint64_t position_ = 0;
};

}  // namespace

SymbolByteTable::SymbolByteTable(std::span<const absl::string_view> tokens) {
  offsets_.reserve(tokens.size() + 1);
  for (const absl::string_view token : tokens) {
    arena_.append(token.data(), token.size());
    offsets_.push_back(arena_.size());
  }
}

absl::StatusOr<SymbolByteTable> SymbolByteTable::Expand(const SymbolByteTable& base, const Universe& universe) {
  CLM_CHECK(base.size() == universe.base_size());
  // Children have smaller ids. Every sum is checked before the next one uses it, so none overflows.
  SymbolByteTable table;
  table.offsets_ = base.offsets_;
  table.offsets_.reserve(size_t{universe.vocab_size()} + 1);
  const auto length = [&table](SymbolId id) { return table.offsets_[size_t{id} + 1] - table.offsets_[id]; };
  for (SymbolId id = universe.base_size(); id < universe.vocab_size(); ++id) {
    const SymbolPair pair = universe.Children(id);
    const uint64_t end = table.offsets_.back() + length(pair.left) + length(pair.right);
    if (end > kMaxSymbolBytesTotal) {
      return absl::ResourceExhaustedError(
          absl::StrCat("symbols up to ", id, " stand for ", end, " bytes in all, the limit is ", kMaxSymbolBytesTotal));
    }
    table.offsets_.push_back(end);
  }
  table.arena_ = base.arena_;
  table.arena_.reserve(table.offsets_.back());
  for (SymbolId id = universe.base_size(); id < universe.vocab_size(); ++id) {
    const SymbolPair pair = universe.Children(id);
    for (const SymbolId child : {pair.left, pair.right}) {
      table.arena_.append(table.arena_, table.offsets_[child], length(child));
    }
  }
  return table;
}

absl::Status SymbolByteTable::Decode(std::span<const SymbolId> symbols, uint64_t first_position,
                                     std::string& out) const {
  CLM_RETURN_IF_ERROR(Universe::CheckIds(symbols, size(), first_position));
  uint64_t bytes = 0;
  for (const SymbolId id : symbols) bytes += offsets_[size_t{id} + 1] - offsets_[id];
  const size_t before = out.size();
  out.resize(before + bytes);
  char* to = out.data() + before;
  for (const SymbolId id : symbols) {
    const absl::string_view from = (*this)[id];
    std::memcpy(to, from.data(), from.size());
    to += from.size();
  }
  return absl::OkStatus();
}

std::unique_ptr<StreamingDecoder> SymbolByteTable::NewDecoder() const { return std::make_unique<TableDecoder>(*this); }

}  // namespace clm
