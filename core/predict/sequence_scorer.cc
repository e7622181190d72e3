#include "core/predict/sequence_scorer.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {

absl::Status CheckScoredSymbols(std::span<const std::vector<SymbolId>> documents, uint32_t vocab_size) {
  for (size_t document = 0; document < documents.size(); ++document) {
    for (size_t i = 0; i < documents[document].size(); ++i) {
      if (documents[document][i] < vocab_size) continue;
      return absl::OutOfRangeError(absl::StrCat("document ", document, ": symbol ", documents[document][i],
                                                " at position ", i, ", the vocabulary has ", vocab_size));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ScoredDocument>> UniformScorer::Score(std::span<const std::vector<SymbolId>> documents,
                                                                 const CancellationToken& cancel) {
  const double nats_per_symbol = std::log(static_cast<double>(vocab_size_));
  std::vector<ScoredDocument> scores;
  scores.reserve(documents.size());
  for (size_t document = 0; document < documents.size(); ++document) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    const std::vector<SymbolId>& symbols = documents[document];
    for (size_t position = 0; position < symbols.size(); ++position) {
      if (symbols[position] >= vocab_size_) {
        return absl::OutOfRangeError(absl::StrCat("document ", document, " position ", position, ": symbol ",
                                                  symbols[position], ", vocabulary ", vocab_size_));
      }
    }
    scores.push_back({.nats = nats_per_symbol * static_cast<double>(symbols.size()), .symbols = symbols.size()});
  }
  return scores;
}

}  // namespace clm
