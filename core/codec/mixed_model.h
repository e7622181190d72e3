// MixedModel: what a model of symbols and the built-in AdaptiveModel say together, bit by bit.
//
// A symbol is told as a path down the tree of all symbols' bytes: before each byte but the first, whether the symbol
// ends here; then the eight bits of the byte, most significant first. What the model says about a step is the share of
// its distribution that lies on either side, exactly; steps that the vocabulary decides are not told at all. On bits,
// the AdaptiveModel, which sees the bytes alone, has its say too. Weights learn as the block goes on which of them to
// trust in which place, and what comes out is refined by what really came.
//
// Determinism: integers only; a function of the symbols so far and the model's frequencies. Thread-safety: none.
// Memory: an AdaptiveModel for the block's length, 8 bytes per symbol of the vocabulary, 1.3 MiB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/types.h"
#include "core/codec/symbol_tree.h"
#include "core/predict/adaptive/refinement.h"
#include "core/predict/adaptive_model.h"
#include "core/predict/opinion_mixer.h"
#include "core/predict/symbol_predictor.h"

namespace clm {

// Names the algorithm and its constants; part of a coder's fingerprint.
inline constexpr absl::string_view kMixedModelVersion = "clm.mixed_model.1";

class MixedModel {
 public:
  // `tree` must outlive the model. For a block of `raw_length` bytes.
  MixedModel(const SymbolTree& tree, uint32_t vocab_size, size_t raw_length);

  // One symbol. `code(bit, probability_of_one)` codes a step and returns its bit: the given one when encoding, whatever
  // comes when decoding (then `known` is empty and the bit given is 0). Requires a known symbol with bytes.
  template <typename Code>
  SymbolId Step(SymbolPredictor& predictor, size_t lane, std::optional<SymbolId> known, Code code);

 private:
  static constexpr size_t kOpinions = 3;
  static constexpr size_t kBitInputs = kOpinions + 3;  // model, adaptive model, its opinions, bias
  static constexpr size_t kEndInputs = 3;              // model, what came in this place before, bias
  static constexpr size_t kConfidences = 12;
  static constexpr size_t kEndPlaces = size_t{1} << 16;

  // Sums of the frequencies before each place of the tree's order.
  void LoadMasses(SymbolPredictor& predictor, size_t lane);
  uint32_t MassOf(size_t begin, size_t end) const { return sums_[end] - sums_[begin]; }
  // Of a one, as 16 bits, within [1, 65535].
  uint32_t PredictBit(uint32_t mass_of_one, uint32_t mass_of_zero, size_t depth);
  void LearnBit(int bit);
  uint32_t PredictEnd(uint32_t mass_of_end, uint32_t mass_of_rest, SymbolId own, size_t depth);
  void LearnEnd(int bit);

  template <typename Code>
  SymbolTree::Node StepByte(SymbolTree::Node node, size_t place, bool is_known, Code& code);
  template <typename Code>
  SymbolId ChooseOwn(size_t begin, size_t end, size_t place, bool is_known, Code& code) const;

  const SymbolTree& tree_;
  AdaptiveModel adaptive_;
  OpinionMixer<kBitInputs> bit_mixer_;
  OpinionMixer<kEndInputs> end_mixer_;
  Refinement by_path_;
  Refinement by_last_byte_;
  std::vector<uint16_t> ends_;  // [kEndPlaces] probability of an end, 16 bits
  size_t end_place_ = 0;
  uint32_t last_byte_ = 0;
  std::vector<uint32_t> frequencies_;  // by symbol
  std::vector<uint32_t> sums_;         // by place
};

// ln(a / b) in units of 1/256, within +-kMaxOpinion. Requires a, b > 0.
int LogRatio(uint32_t a, uint32_t b);

template <typename Code>
SymbolId MixedModel::Step(SymbolPredictor& predictor, size_t lane, std::optional<SymbolId> known, Code code) {
  LoadMasses(predictor, lane);
  const bool is_known = known.has_value();
  const size_t place = is_known ? tree_.PlaceOf(*known) : 0;
  SymbolTree::Node node = tree_.Root();
  while (true) {
    const size_t own = node.depth == 0 ? node.begin : tree_.EndOfOwn(node);
    if (own == node.end) return ChooseOwn(node.begin, own, place, is_known, code);
    if (own > node.begin) {
      const uint32_t probability =
          PredictEnd(MassOf(node.begin, own), MassOf(own, node.end), tree_.order()[node.begin], node.depth);
      const int ends = code(is_known && place < own ? 1 : 0, probability);
      LearnEnd(ends);
      if (ends != 0) return ChooseOwn(node.begin, own, place, is_known, code);
      node.begin = own;
    }
    node = StepByte(node, place, is_known, code);
  }
}

template <typename Code>
SymbolTree::Node MixedModel::StepByte(SymbolTree::Node node, size_t place, bool is_known, Code& code) {
  uint32_t byte = 0;
  for (int shift = 7; shift >= 0; --shift) {
    const size_t split = tree_.Split(node, shift);
    int bit = split == node.begin ? 1 : 0;
    if (split != node.begin && split != node.end) {
      const uint32_t probability = PredictBit(MassOf(split, node.end), MassOf(node.begin, split), node.depth);
      bit = code(is_known && place >= split ? 1 : 0, probability);
      LearnBit(bit);
    }
    adaptive_.Update(bit);
    (bit != 0 ? node.begin : node.end) = split;
    byte = byte << 1 | static_cast<uint32_t>(bit);
  }
  last_byte_ = byte;
  ++node.depth;
  return node;
}

// Symbols of equal bytes: one after the other, whether it is this one.
template <typename Code>
SymbolId MixedModel::ChooseOwn(size_t begin, size_t end, size_t place, bool is_known, Code& code) const {
  for (; begin + 1 < end; ++begin) {
    const uint64_t all = MassOf(begin, end);
    const auto share = static_cast<uint32_t>((uint64_t{MassOf(begin, begin + 1)} << 16) / all);
    const uint32_t probability = share < 1 ? 1 : share > 65535 ? 65535 : share;
    if (code(is_known && place == begin ? 1 : 0, probability) != 0) break;
  }
  return tree_.order()[begin];
}

}  // namespace clm
