// EvaluateBpb: bits per ORIGINAL byte of a model on documents.
//
//   BPB = total nats / (ln 2 * total original bytes)
//
// The numerator sums every predicted symbol of every document, end-of-text included; the first symbol is conditioned on
// the boundary; every symbol counts once. The denominator is the documents' original bytes, never derived from symbols.
// No document is dropped: an empty one adds the nats of its boundary and no bytes. Sums are doubles in document order.
//
// Thread-safety: EvaluateBpb may run on any thread with its own scorer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/clock.h"
#include "core/base/progress.h"
#include "core/base/types.h"
#include "core/data/id_stream.h"
#include "core/eval/bootstrap.h"
#include "core/predict/sequence_scorer.h"
#include "core/representation/representation.h"

namespace clm {

// The documents to measure: their symbols, and the ORIGINAL bytes that BPB divides by.
class EvaluationDocuments {
 public:
  virtual ~EvaluationDocuments() = default;
  virtual uint64_t documents() const = 0;
  virtual uint64_t OriginalBytes(uint64_t document) const = 0;
  // Replaces `symbols` by those of `document`, INCLUDING the final boundary.
  virtual absl::Status Read(uint64_t document, std::vector<SymbolId>& symbols) const = 0;
};

// The documents of a prepared split. The stream must outlive it.
class IdStreamDocuments final : public EvaluationDocuments {
 public:
  explicit IdStreamDocuments(const IdStream& stream) : stream_(stream) {}
  uint64_t documents() const override { return stream_.documents(); }
  uint64_t OriginalBytes(uint64_t document) const override { return stream_.DocumentBytes(document); }
  absl::Status Read(uint64_t document, std::vector<SymbolId>& symbols) const override;

 private:
  const IdStream& stream_;
};

// Documents held as bytes and encoded when they are read. Both must outlive it.
class EncodedDocuments final : public EvaluationDocuments {
 public:
  EncodedDocuments(const std::vector<std::string>& documents, const Representation& representation)
      : documents_(documents), representation_(representation) {}
  uint64_t documents() const override { return documents_.size(); }
  uint64_t OriginalBytes(uint64_t document) const override { return documents_[document].size(); }
  absl::Status Read(uint64_t document, std::vector<SymbolId>& symbols) const override;

 private:
  const std::vector<std::string>& documents_;
  const Representation& representation_;
};

struct EvaluateBpbOptions {
  // Documents are handed to the scorer in groups of at most this many symbols (a longer document goes alone) ...
  uint64_t max_symbols_per_call = 65'536;  // range [1, 2^31]
  // ... and this many documents. Neither changes the result.
  uint64_t max_documents_per_call = 256;  // range [1, 2^20]
  BootstrapOptions bootstrap = {};

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

// What an evaluation runs in.
struct EvaluationContext {
  const Clock& clock = SystemClock();
  CancellationToken cancel = {};
  ProgressSink progress = {};  // phase "evaluate", unit "bytes", metric "bits_per_byte" so far; may be empty
};

struct BpbResult {
  double nats = 0;
  uint64_t original_bytes = 0;
  uint64_t symbols = 0;  // predicted, boundaries included
  uint64_t documents = 0;
  double bits_per_byte = 0;
  Interval interval;  // of bits_per_byte
  double symbols_per_byte = 0;
  double seconds = 0;           // reading and scoring; not the bootstrap
  double bytes_per_second = 0;  // 0 when no time passed on the clock

  std::vector<double> document_nats;     // [documents]
  std::vector<uint64_t> document_bytes;  // [documents] ORIGINAL
};

// FAILED_PRECONDITION: a lossy representation, a scorer of another vocabulary. INVALID_ARGUMENT: no documents, no bytes
// at all, a document that does not end with the boundary. INTERNAL: the scorer skipped symbols or gave a number that is
// no cost.
absl::StatusOr<BpbResult> EvaluateBpb(SequenceScorer& scorer, const Representation& representation,
                                      const EvaluationDocuments& documents, const EvaluateBpbOptions& options,
                                      const EvaluationContext& context = {});

}  // namespace clm
