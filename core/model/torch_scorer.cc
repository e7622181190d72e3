#include "core/model/torch_scorer.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/torch_status.h"

namespace clm {

TorchScorer::TorchScorer(std::shared_ptr<const Transformer> model, const ScorerOptions& options)
    : model_(std::move(model)),
      options_(options),
      window_(static_cast<size_t>(model_->config().max_positions)),
      stride_(options.stride > 0 ? static_cast<size_t>(options.stride) : std::max<size_t>(1, window_ / 2)) {}

std::string TorchScorer::description() const {
  return absl::StrCat("transformer ", model_->device().is_cpu() ? "cpu" : "cuda", " float32, window ", window_,
                      ", stride ", stride_);
}

std::vector<TorchScorer::Window> TorchScorer::CutWindows(std::span<const std::vector<SymbolId>> documents) const {
  std::vector<Window> windows;
  for (size_t document = 0; document < documents.size(); ++document) {
    const size_t inputs = documents[document].size();  // the boundary before, the final symbol not
    size_t scored = 0;
    for (size_t begin = 0; scored < inputs; begin += stride_) {
      const size_t end = std::min(begin + window_, inputs);
      windows.push_back({document, begin, end, scored});
      scored = end;
    }
  }
  // Longest first: equal lengths come together, and the largest buffers are made first.
  std::stable_sort(windows.begin(), windows.end(),
                   [](const Window& a, const Window& b) { return a.length() > b.length(); });
  return windows;
}

void TorchScorer::ScoreTogether(std::span<const std::vector<SymbolId>> documents, std::span<const Window> windows,
                                std::span<double> nats) {
  batch_.Clear();
  for (const Window& window : windows) {
    const std::vector<SymbolId>& symbols = documents[window.document];
    for (size_t i = window.begin; i < window.end; ++i) {
      batch_.inputs.push_back(i == 0 ? int64_t{model_->config().boundary} : int64_t{symbols[i - 1]});
      batch_.targets.push_back(i < window.first_target ? TokenBatch::kNoTarget : int64_t{symbols[i]});
    }
    batch_.EndSequence(static_cast<int64_t>(window.length()));
  }
  std::vector<double> each(batch_.inputs.size());
  model_->Score(batch_, workspace_, each);
  auto at = each.begin();
  for (size_t i = 0; i < windows.size(); ++i) {
    const auto end = at + static_cast<ptrdiff_t>(windows[i].length());
    nats[i] = std::accumulate(at, end, 0.0);
    at = end;
  }
}

absl::StatusOr<std::vector<ScoredDocument>> TorchScorer::Score(std::span<const std::vector<SymbolId>> documents,
                                                               const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(CheckScoredSymbols(documents, vocab_size()));
  const std::vector<Window> windows = CutWindows(documents);
  std::vector<double> nats(windows.size());
  for (size_t begin = 0; begin < windows.size();) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    size_t end = begin;
    size_t symbols = 0;
    while (end < windows.size() && end - begin < static_cast<size_t>(options_.batch_windows) &&
           (end == begin || symbols + windows[end].length() <= static_cast<size_t>(options_.batch_symbols))) {
      symbols += windows[end++].length();
    }
    CLM_RETURN_IF_ERROR(CatchTorch("scoring", [&] {
      ScoreTogether(documents, std::span(windows).subspan(begin, end - begin),
                    std::span(nats).subspan(begin, end - begin));
      return absl::OkStatus();
    }));
    begin = end;
  }
  std::vector<ScoredDocument> results(documents.size());
  for (size_t i = 0; i < documents.size(); ++i) results[i].symbols = documents[i].size();
  // Windows of one document have different lengths or are in order: their sum has one order whatever the batches.
  for (size_t i = 0; i < windows.size(); ++i) results[windows[i].document].nats += nats[i];
  return results;
}

}  // namespace clm
