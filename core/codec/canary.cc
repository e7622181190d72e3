#include "core/codec/canary.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/digest.h"

namespace clm {

absl::string_view CanaryProbe() {
  static const std::string* const kProbe = [] {
    auto* probe = new std::string("the canary sings; the canary sings again. {\"key\": 12, \"key\": 13}\n");
    uint32_t state = 1;
    while (probe->size() < 256) {
      state = state * 1664525U + 1013904223U;
      probe->push_back(static_cast<char>(state >> 24));
    }
    return probe;
  }();
  return *kProbe;
}

Canary CanaryHash::Finish() const {
  const Sha256Digest digest = Sha256Of(values_.view());
  Canary canary{};
  std::copy_n(digest.begin(), canary.size(), canary.begin());
  return canary;
}

Canary CanaryOf(SymbolPredictor& predictor) {
  CanaryHash hash;
  std::vector<uint32_t> frequencies(predictor.vocab_size());
  predictor.Reset(0);
  for (char byte : CanaryProbe()) {
    predictor.Frequencies(0, frequencies);
    for (uint32_t frequency : frequencies) hash.Add(frequency);
    predictor.Update(0, static_cast<uint8_t>(byte));
  }
  predictor.Reset(0);
  return hash.Finish();
}

}  // namespace clm
