#include "core/data/batcher.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

absl::Status CheckRange(absl::string_view field, uint64_t value, uint64_t low, uint64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, ", must lie in [", low, ", ", high, "]"));
}

}  // namespace

absl::Status BatcherOptions::Validate() const {
  CLM_RETURN_IF_ERROR(CheckRange("bytes_per_step", bytes_per_step, 1, uint64_t{1} << 32));
  CLM_RETURN_IF_ERROR(CheckRange("columns", columns, 1, size_t{1} << 20));
  return CheckRange("horizons", horizons, 1, 256);
}

std::vector<uint32_t> SymbolByteCounts(const Representation& representation) {
  std::vector<uint32_t> counts(representation.layout().vocab_size);
  for (uint32_t id = 0; id < counts.size(); ++id) {
    counts[id] = static_cast<uint32_t>(representation.SymbolBytes(id).size());
  }
  return counts;
}

absl::StatusOr<std::unique_ptr<IdStreamBatcher>> IdStreamBatcher::Create(const IdStream& stream,
                                                                         std::vector<uint32_t> symbol_bytes,
                                                                         const BatcherOptions& options) {
  CLM_RETURN_IF_ERROR(options.Validate());
  if (symbol_bytes.size() != stream.vocab_size()) {
    return absl::InvalidArgumentError(absl::StrCat("byte counts of ", symbol_bytes.size(),
                                                   " symbols for a stream with vocabulary ", stream.vocab_size()));
  }
  if (stream.original_bytes() == 0) return absl::InvalidArgumentError("the stream has no bytes to learn from");
  CLM_RETURN_IF_ERROR(CheckRange("documents of the stream", stream.documents(), 1, UINT32_MAX));
  const uint32_t longest = *std::max_element(symbol_bytes.begin(), symbol_bytes.end());
  if (options.bytes_per_step < longest) {
    return absl::InvalidArgumentError(absl::StrCat("bytes_per_step is ", options.bytes_per_step,
                                                   ", must be at least the longest symbol's ", longest, " bytes"));
  }
  std::unique_ptr<IdStreamBatcher> batcher(new IdStreamBatcher(stream, std::move(symbol_bytes), options));
  CLM_RETURN_IF_ERROR(batcher->BuildIndex());
  return batcher;
}

absl::Status IdStreamBatcher::BuildIndex() {
  byte_index_.reserve(stream_.symbols() / kIndexSymbols + 1);
  uint64_t bytes = 0;
  for (uint64_t d = 0; d < stream_.documents(); ++d) {
    for (uint64_t i = stream_.SymbolOffset(d); i < stream_.SymbolOffset(d + 1); ++i) {
      if (i % kIndexSymbols == 0) byte_index_.push_back(bytes);
      bytes += symbol_bytes_[stream_.At(i)];
    }
    if (bytes != stream_.ByteOffset(d + 1)) {
      return absl::FailedPreconditionError(absl::StrCat("document ", d, ": its symbols stand for ",
                                                        bytes - stream_.ByteOffset(d), " bytes, it has ",
                                                        stream_.DocumentBytes(d), " original bytes"));
    }
  }
  return absl::OkStatus();
}

uint64_t IdStreamBatcher::steps_per_epoch() const {
  return (stream_.original_bytes() + options_.bytes_per_step - 1) / options_.bytes_per_step;
}

void IdStreamBatcher::StartEpoch(uint64_t epoch) {
  if (epoch == epoch_) return;
  order_.resize(stream_.documents());
  std::iota(order_.begin(), order_.end(), 0U);
  if (options_.shuffle) {
    CounterRng rng(options_.seed, "shuffle", epoch);
    for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[rng.NextBelow(i)]);
  }
  rank_bytes_.assign(1, 0);
  rank_bytes_.reserve(order_.size() + 1);
  for (const uint32_t document : order_) rank_bytes_.push_back(rank_bytes_.back() + stream_.DocumentBytes(document));
  epoch_ = epoch;
}

IdStreamBatcher::Cursor IdStreamBatcher::Find(uint64_t byte) const {
  if (byte == 0) return {0, 0};
  if (byte >= rank_bytes_.back()) return {order_.size(), 0};
  // The document that holds `byte`: the last whose first byte is not after it (empty ones before it do not).
  const auto after = std::upper_bound(rank_bytes_.begin(), rank_bytes_.end(), byte);
  const auto rank = static_cast<uint64_t>(after - rank_bytes_.begin()) - 1;
  const uint64_t document = order_[rank];
  const uint64_t document_begin = stream_.SymbolOffset(document);
  // From here on places are bytes of the stream in its own order.
  const uint64_t wanted = stream_.ByteOffset(document) + (byte - rank_bytes_[rank]);
  uint64_t symbol = document_begin;
  uint64_t start = stream_.ByteOffset(document);
  const auto entry = std::lower_bound(byte_index_.begin(), byte_index_.end(), wanted);
  if (entry != byte_index_.begin()) {
    const auto last = static_cast<uint64_t>(entry - byte_index_.begin()) - 1;
    if (last * kIndexSymbols > document_begin) {
      symbol = last * kIndexSymbols;
      start = byte_index_[last];
    }
  }
  // Ends at the document's boundary at the latest: its owner is the document's last byte, which is not before `wanted`.
  while (true) {
    const uint32_t bytes = symbol_bytes_[stream_.At(symbol)];
    if (start >= wanted + (bytes == 0 ? 1 : 0)) return {rank, symbol - document_begin};
    start += bytes;
    ++symbol;
  }
}

std::vector<IdStreamBatcher::Slice> IdStreamBatcher::Slices(const Cursor& begin, const Cursor& end) const {
  std::vector<Slice> slices;
  for (uint64_t rank = begin.rank; rank < order_.size() && rank <= end.rank; ++rank) {
    const uint64_t first = stream_.SymbolOffset(order_[rank]);
    const uint64_t last = stream_.SymbolOffset(order_[rank] + uint64_t{1});
    const Slice slice{first, last, rank == begin.rank ? first + begin.symbol : first,
                      rank == end.rank ? first + end.symbol : last};
    if (slice.begin < slice.end) slices.push_back(slice);
  }
  return slices;
}

void IdStreamBatcher::Prepare(uint64_t targets, Batch& batch) const {
  batch.columns = options_.columns;
  batch.horizons = options_.horizons;
  batch.rows = (targets + batch.columns - 1) / batch.columns;
  const size_t cells = batch.rows * batch.columns;
  batch.inputs.assign(cells, stream_.boundary());
  batch.targets.assign(cells * batch.horizons, Batch::kNoTarget);
  batch.positions.assign(cells, 0);
  batch.segments.assign(cells, -1);
  batch.target_bytes.assign(cells, 0);
  batch.target_count = targets;
  batch.original_bytes = 0;
  batch.documents_ended = 0;
}

void IdStreamBatcher::Fill(const Slice& slice, size_t& next, Batch& batch) const {
  const size_t cells = batch.rows * batch.columns;
  for (uint64_t i = slice.begin; i < slice.end; ++i, ++next) {
    const SymbolId target = stream_.At(i);
    if (i != slice.document_begin) batch.inputs[next] = stream_.At(i - 1);
    const bool row_start = next % batch.columns == 0;
    const bool new_segment = row_start || i == slice.begin;
    batch.positions[next] = new_segment ? 0 : batch.positions[next - 1] + 1;
    batch.segments[next] = row_start ? 0 : batch.segments[next - 1] + (new_segment ? 1 : 0);
    for (size_t h = 0; h < batch.horizons && i + h < slice.document_end; ++h) {
      batch.targets[h * cells + next] = stream_.At(i + h);
    }
    batch.target_bytes[next] = symbol_bytes_[target];
    batch.original_bytes += symbol_bytes_[target];
    if (target == stream_.boundary()) ++batch.documents_ended;
  }
}

absl::Status IdStreamBatcher::Get(uint64_t step, Batch& batch) {
  const uint64_t steps = steps_per_epoch();
  StartEpoch(step / steps);
  const uint64_t first_byte = step % steps * options_.bytes_per_step;
  const std::vector<Slice> slices = Slices(Find(first_byte), Find(first_byte + options_.bytes_per_step));
  uint64_t targets = 0;
  for (const Slice& slice : slices) targets += slice.end - slice.begin;
  Prepare(targets, batch);
  size_t next = 0;
  for (const Slice& slice : slices) Fill(slice, next, batch);
  return absl::OkStatus();
}

}  // namespace clm
