#include "core/train/train_step.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

// Positions [begin, end) of a batch's flat [B, T] arrays that form one sequence.
struct Sequence {
  size_t begin;
  size_t end;
  size_t size() const { return end - begin; }
};

// Trailing positions without target are padding: nothing after them looks back at them.
size_t UsedColumns(const Batch& batch, size_t row) {
  size_t used = batch.columns;
  while (used > 0 && batch.targets[row * batch.columns + used - 1] == Batch::kNoTarget) --used;
  return used;
}

std::vector<Sequence> SequencesOf(const Batch& batch, bool document_mask) {
  std::vector<Sequence> sequences;
  for (size_t row = 0; row < batch.rows; ++row) {
    const size_t first = row * batch.columns;
    const size_t last = first + UsedColumns(batch, row);
    for (size_t begin = first; begin < last;) {
      size_t end = document_mask ? begin + 1 : last;
      while (end < last && batch.segments[end] == batch.segments[begin]) ++end;
      sequences.push_back({begin, end});
      begin = end;
    }
  }
  return sequences;
}

}  // namespace

TrainStep::TrainStep(Transformer& model, uint64_t micro_batch_symbols, bool document_mask)
    : model_(model), micro_batch_symbols_(micro_batch_symbols), document_mask_(document_mask) {}

absl::Status TrainStep::Check(const Batch& batch) const {
  const size_t size = batch.rows * batch.columns;
  CLM_CHECK(batch.inputs.size() == size && batch.targets.size() == size * batch.horizons);
  CLM_CHECK(batch.horizons >= 1 && (!document_mask_ || batch.segments.size() == size));
  if (batch.columns > static_cast<size_t>(model_.config().max_positions)) {
    return absl::InvalidArgumentError(absl::StrCat("a batch has rows of ", batch.columns,
                                                   " symbols, the model's max_positions is ",
                                                   model_.config().max_positions));
  }
  const uint32_t vocab = model_.config().vocab_size;
  for (size_t i = 0; i < size; ++i) {
    if (batch.inputs[i] < vocab && batch.targets[i] < int64_t{vocab}) continue;
    return absl::OutOfRangeError(absl::StrCat("a batch has symbol ",
                                              std::max<int64_t>(batch.inputs[i], batch.targets[i]), " at position ", i,
                                              ", the vocabulary has ", vocab));
  }
  return absl::OkStatus();
}

std::vector<TokenBatch> TrainStep::Split(const Batch& batch) const {
  std::vector<TokenBatch> parts;
  for (const Sequence& sequence : SequencesOf(batch, document_mask_)) {
    const bool full = !parts.empty() && parts.back().inputs.size() + sequence.size() > micro_batch_symbols_;
    if (parts.empty() || full) parts.emplace_back();
    TokenBatch& part = parts.back();
    for (size_t i = sequence.begin; i < sequence.end; ++i) {
      part.inputs.push_back(batch.inputs[i]);
      part.targets.push_back(batch.targets[i]);
    }
    part.EndSequence(static_cast<int64_t>(sequence.size()));
  }
  return parts;
}

absl::StatusOr<StepLoss> TrainStep::Run(const Batch& batch) {
  CLM_RETURN_IF_ERROR(Check(batch));
  StepLoss loss{.targets = batch.target_count, .original_bytes = batch.original_bytes};
  model_.ZeroGradients();
  const float scale = 1.0F / static_cast<float>(std::max<uint64_t>(1, batch.target_count));
  for (const TokenBatch& part : Split(batch)) loss.nats += model_.AccumulateGradients(part, scale, workspace_);
  model_.FinishGradients();
  return loss;
}

}  // namespace clm
