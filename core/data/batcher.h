// IdStreamBatcher: the BatchSource over one id stream.
//
// An epoch is the documents of the stream in an order of its own (Fisher-Yates with CounterRng(seed, "shuffle",
// epoch)). The owner byte of a symbol is its first ORIGINAL byte in that sequence; a symbol without bytes (the
// boundary, other specials) is owned by the byte before it, at the very start by byte 0. Step k of an epoch has the
// symbols whose owner byte lies in [k * bytes_per_step, (k + 1) * bytes_per_step): every symbol belongs to exactly one
// step, and two representations of the same documents get the same bytes at every step, up to one symbol at its end.
//
// The symbols of a step follow one another through rows of `columns`; only the last row is padded. The input of a
// target is the symbol before it in its document, also where a row or a step begins inside a document; for the first
// symbol of a document it is the boundary. targets[h] never look past the end of the document.
//
// Cost: construction is one pass over the stream and 8 bytes per 4,096 symbols; an epoch takes 12 bytes per document;
// Get() is a binary search, at most 4,096 symbols of scan, and the symbols of the step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/data/batch.h"
#include "core/data/id_stream.h"
#include "core/representation/representation.h"

namespace clm {

struct BatcherOptions {
  // ORIGINAL bytes per step, at least the longest symbol of the vocabulary, at most 2^32.
  uint64_t bytes_per_step = 32'768;
  // Symbols per row: the context a model sees in training. Range [1, 2^20].
  size_t columns = 512;
  // Label offsets per position. Range [1, 256].
  size_t horizons = 1;
  // Decides the order of documents, nothing else.
  uint64_t seed = 0;
  // false: documents in the order of the stream in every epoch (for measuring).
  bool shuffle = true;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

// Bytes that each symbol of the vocabulary stands for: what a batcher counts with.
std::vector<uint32_t> SymbolByteCounts(const Representation& representation);

class IdStreamBatcher final : public BatchSource {
 public:
  // `stream` must outlive the batcher. `symbol_bytes` has one entry per symbol of the vocabulary, 0 for the boundary.
  // INVALID_ARGUMENT for options out of range, a table of another size, a stream without bytes; FAILED_PRECONDITION
  // naming the first document whose symbols do not stand for as many bytes as the document has (another tokenizer's
  // table, or a lossy representation).
  static absl::StatusOr<std::unique_ptr<IdStreamBatcher>> Create(const IdStream& stream,
                                                                 std::vector<uint32_t> symbol_bytes,
                                                                 const BatcherOptions& options);

  uint32_t vocab_size() const override { return stream_.vocab_size(); }
  uint64_t steps_per_epoch() const override;
  absl::Status Get(uint64_t step, Batch& batch) override;

 private:
  static constexpr uint64_t kIndexSymbols = 4'096;

  // A place in the epoch's sequence of symbols.
  struct Cursor {
    uint64_t rank = 0;    // document, counted in the epoch's order
    uint64_t symbol = 0;  // within the document
  };
  // Consecutive symbols of one document, as indices into the stream.
  struct Slice {
    uint64_t document_begin;
    uint64_t document_end;
    uint64_t begin;
    uint64_t end;
  };

  IdStreamBatcher(const IdStream& stream, std::vector<uint32_t> symbol_bytes, const BatcherOptions& options)
      : stream_(stream), symbol_bytes_(std::move(symbol_bytes)), options_(options) {}

  absl::Status BuildIndex();
  void StartEpoch(uint64_t epoch);
  // The first symbol whose owner byte is at or after `byte` of the epoch's sequence.
  Cursor Find(uint64_t byte) const;
  std::vector<Slice> Slices(const Cursor& begin, const Cursor& end) const;
  void Prepare(uint64_t targets, Batch& batch) const;
  // Writes a slice's symbols from position `next` of the batch on and moves it.
  void Fill(const Slice& slice, size_t& next, Batch& batch) const;

  const IdStream& stream_;
  const std::vector<uint32_t> symbol_bytes_;
  const BatcherOptions options_;
  std::vector<uint64_t> byte_index_;  // ORIGINAL bytes before symbol i * kIndexSymbols of the stream

  static constexpr uint64_t kNoEpoch = UINT64_MAX;
  uint64_t epoch_ = kNoEpoch;
  std::vector<uint32_t> order_;       // document at each rank
  std::vector<uint64_t> rank_bytes_;  // [documents + 1] ORIGINAL bytes before each rank
};

}  // namespace clm
