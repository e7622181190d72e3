// Inputs, predictors and the verbs of damage that the codec's tests share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/checksum.h"
#include "core/base/digest.h"
#include "core/codec/coding_model.h"
#include "core/codec/frame.h"
#include "core/codec/probability_coder.h"
#include "core/entropy/cdf.h"
#include "core/predict/symbol_predictor.h"
#include "core/representation/byte.h"
#include "core/representation/representation.h"
#include "tests/testing/generated_text.h"

namespace clm::testing {

inline std::string AllBytes(size_t repeats) {
  std::string data;
  for (size_t i = 0; i < 256 * repeats; ++i) data.push_back(static_cast<char>(static_cast<uint8_t>(i)));
  return data;
}

// Order-0 counts over 256 bytes and a boundary that never comes: the simplest predictor that learns.
class Order0Predictor final : public SymbolPredictor {
 public:
  explicit Order0Predictor(char version = '0') : version_(version), counts_(kSymbols, 1) {}

  uint32_t vocab_size() const override { return kSymbols; }
  size_t lanes() const override { return 1; }
  int precision_bits() const override { return 16; }
  std::string fingerprint() const override { return Sha256Hex(std::string("order 0, version ") + version_); }
  void Frequencies(size_t, std::span<uint32_t> out) override { NormalizeWeights(counts_, precision_bits(), out); }
  void Update(size_t, SymbolId symbol) override { counts_[symbol] += 16; }
  void Reset(size_t) override { counts_.assign(kSymbols, 1); }
  std::unique_ptr<SymbolPredictor> Clone() const override { return std::make_unique<Order0Predictor>(*this); }

 private:
  static constexpr uint32_t kSymbols = 257;
  char version_;
  std::vector<uint32_t> counts_;
};

// Order0Predictor with a hardware fault: the n-th table that any copy gives is wrong (two frequencies trade places).
class FaultyPredictor final : public SymbolPredictor {
 public:
  explicit FaultyPredictor(int faulty_call) : calls_left_(std::make_shared<std::atomic<int>>(faulty_call)) {}

  uint32_t vocab_size() const override { return healthy_.vocab_size(); }
  size_t lanes() const override { return healthy_.lanes(); }
  int precision_bits() const override { return healthy_.precision_bits(); }
  std::string fingerprint() const override { return healthy_.fingerprint(); }
  void Frequencies(size_t lane, std::span<uint32_t> out) override {
    healthy_.Frequencies(lane, out);
    if (calls_left_->fetch_sub(1) == 0) std::swap(out['a'], out[256]);
  }
  void Update(size_t lane, SymbolId symbol) override { healthy_.Update(lane, symbol); }
  void Reset(size_t lane) override { healthy_.Reset(lane); }
  std::unique_ptr<SymbolPredictor> Clone() const override { return std::make_unique<FaultyPredictor>(*this); }

 private:
  Order0Predictor healthy_;
  std::shared_ptr<std::atomic<int>> calls_left_;
};

inline void SetU32(std::string& bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(static_cast<uint8_t>(value >> (8 * i)));
}
inline void SetU64(std::string& bytes, size_t at, uint64_t value) {
  SetU32(bytes, at, static_cast<uint32_t>(value));
  SetU32(bytes, at + 4, static_cast<uint32_t>(value >> 32));
}
inline uint32_t GetU32(absl::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  return value;
}

// Bytes, and one symbol for "ab".
class PairRepresentation final : public Representation {
 public:
  PairRepresentation() {
    layout_.vocab_size = 258;
    layout_.boundary = 257;
  }
  std::string kind() const override { return "token"; }
  bool lossless() const override { return true; }
  const VocabLayout& layout() const override { return layout_; }
  std::string fingerprint() const override { return std::string(64, 'b'); }
  absl::StatusOr<std::vector<SymbolId>> Encode(absl::string_view document) const override {
    std::vector<SymbolId> symbols;
    for (size_t i = 0; i < document.size(); ++i) {
      const bool is_pair = document.substr(i, 2) == "ab";
      symbols.push_back(is_pair ? SymbolId{256} : static_cast<uint8_t>(document[i]));
      i += is_pair ? 1 : 0;
    }
    return symbols;
  }
  absl::StatusOr<std::string> Decode(std::span<const SymbolId> symbols) const override {
    std::string bytes;
    for (const SymbolId symbol : symbols) bytes += std::string(SymbolBytes(symbol));
    return bytes;
  }
  absl::string_view SymbolBytes(SymbolId symbol) const override {
    if (symbol == 256) return "ab";
    return symbol < 256 ? bytes_.SymbolBytes(symbol) : absl::string_view();
  }
  std::unique_ptr<StreamingEncoder> NewEncoder() const override { return nullptr; }
  std::unique_ptr<StreamingDecoder> NewDecoder() const override { return nullptr; }

 private:
  ByteRepresentation bytes_;
  VocabLayout layout_;
};

// The probability coder of a predictor of bytes.
inline std::shared_ptr<const BlockCoder> CoderOf(std::unique_ptr<SymbolPredictor> predictor) {
  return std::make_shared<ProbabilityCoder>(*CodingModel::OfBytes(std::move(predictor)));
}

inline void FixHeaderChecksum(std::string& frame) {
  SetU32(frame, kFrameHeaderBytes - 4, Crc32c(absl::string_view(frame).substr(0, kFrameHeaderBytes - 4)));
}
// Of a frame with `blocks` blocks at its end.
inline void FixFooterChecksum(std::string& frame, size_t blocks) {
  const size_t begin = frame.size() - FooterBytes(blocks);
  SetU32(frame, frame.size() - 8, Crc32c(absl::string_view(frame).substr(begin, FooterBytes(blocks) - 8)));
}
// Of the block that begins at `begin` and is `length` bytes long: the checksum of the coded bytes.
inline void FixBlockChecksum(std::string& frame, size_t begin, size_t length) {
  SetU32(frame, begin + length - kBlockTrailerBytes,
         Crc32c(absl::string_view(frame).substr(begin, length - kBlockTrailerBytes)));
}

// Where the blocks of a well-formed frame begin, and where its footer does.
inline std::vector<size_t> BlockBegins(absl::string_view frame) {
  std::vector<size_t> begins = {kFrameHeaderBytes};
  while (GetU32(frame, begins.back()) != kFooterMarker) {
    begins.push_back(begins.back() + kBlockOverheadBytes + GetU32(frame, begins.back() + 8));
  }
  return begins;
}

}  // namespace clm::testing
