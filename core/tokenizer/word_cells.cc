#include "core/tokenizer/word_cells.h"

#include "core/base/check.h"

namespace clm {
namespace {

constexpr uint32_t kByteTokens = 256;

}  // namespace

WordCells::WordCells(uint32_t tokens) : cells_(1, kInner), token_cells_(tokens, 1) { CLM_CHECK(tokens >= kByteTokens); }

size_t WordCells::OpenWord(size_t tokens, uint64_t count) {
  CLM_CHECK(tokens > 0 && tokens < kMaxCells && cells_.size() + tokens + 1 <= kMaxCells);
  if (tokens > kFar) far_headers_.push_back(static_cast<uint32_t>(cells()));
  if (count < kLarge) {
    cells_.back() = kInner | static_cast<uint32_t>(count);
  } else {
    CLM_CHECK(large_counts_.size() < kLarge);
    cells_.back() = kInner | kLarge | static_cast<uint32_t>(large_counts_.size());
    large_counts_.push_back(count);
  }
  const size_t first = cells_.size();
  cells_.resize(first + tokens + 1);
  cells_.back() = kInner;
  return first;
}

void WordCells::Add(absl::string_view bytes, uint64_t count) {
  const size_t first = OpenWord(bytes.size(), count);
  for (size_t i = 0; i < bytes.size(); ++i) cells_[first + i] = Distance(i, 0) | static_cast<uint8_t>(bytes[i]);
}

void WordCells::AddTokens(std::span<const SymbolId> tokens, uint64_t count) {
  const size_t first = OpenWord(tokens.size(), count);
  for (size_t i = 0; i < tokens.size(); ++i) cells_[first + i] = Distance(i, 0) | tokens[i];
}

void WordCells::Append(const WordCells& other) {
  CLM_CHECK(cells_.size() + other.cells() <= kMaxCells);
  const size_t shift = cells();
  for (const uint32_t header : other.far_headers_) far_headers_.push_back(static_cast<uint32_t>(header + shift));
  cells_.pop_back();
  cells_.insert(cells_.end(), other.cells_.begin(), other.cells_.end());
  if (other.large_counts_.empty()) return;
  const auto large_before = static_cast<uint32_t>(large_counts_.size());
  for (size_t place = shift; place < cells(); ++place) {
    if ((cells_[place] & kInner) != 0 && (cells_[place] & kLarge) != 0) cells_[place] += large_before;
  }
  large_counts_.insert(large_counts_.end(), other.large_counts_.begin(), other.large_counts_.end());
}

void WordCells::Compact() {
  size_t kept = 0;
  std::vector<uint32_t> far_headers;
  for (size_t header = 0; header < cells();) {
    const uint32_t count = cells_[header];
    const size_t first = kept + 1;
    size_t to = first;
    size_t place = header + 1;
    // The copy never overtakes what it reads: a token is read before its one cell is written.
    for (uint32_t cell = cells_[place]; (cell & kInner) == 0; cell = cells_[place]) {
      const SymbolId token = cell & kIdMask;
      place += token_cells_[token];
      cells_[to] = Distance(to, first) | token;
      ++to;
    }
    header = place;
    if (to == first + 1) continue;
    cells_[kept] = count;
    if (to - first > kFar) far_headers.push_back(static_cast<uint32_t>(kept));
    kept = to;
  }
  cells_[kept] = kInner;
  cells_.resize(kept + 1);
  far_headers_ = std::move(far_headers);
  std::fill(token_cells_.begin(), token_cells_.end(), 1);
}

std::vector<size_t> WordCells::Cuts(size_t parts) const {
  std::vector<size_t> cuts = {0};
  for (size_t part = 1; part < parts; ++part) {
    size_t cut = std::max(cells() / parts * part, cuts.back() + 1);
    while (cut < cells() && (cells_[cut] & kInner) == 0) ++cut;
    if (cut >= cells()) break;
    cuts.push_back(cut);
  }
  if (cells() > 0) cuts.push_back(cells());
  return cuts;
}

}  // namespace clm
