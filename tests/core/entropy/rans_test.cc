#include "core/entropy/rans.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

// A static distribution and its coder, so that each test is about the payload.
class StaticCode {
 public:
  StaticCode(const std::vector<uint32_t>& weights, int precision_bits)
      : precision_bits_(precision_bits), frequencies_(weights.size()), cumulative_(weights.size() + 1) {
    NormalizeWeights(weights, precision_bits, frequencies_);
    Accumulate(frequencies_, cumulative_);
  }

  SymbolInterval Interval(size_t symbol) const { return {cumulative_[symbol], frequencies_[symbol]}; }
  double Bits(size_t symbol) const { return precision_bits_ - std::log2(frequencies_[symbol]); }
  size_t Draw(CounterRng& rng) const {
    return FindSymbol(cumulative_, static_cast<uint32_t>(rng.NextBelow(uint64_t{1} << precision_bits_)));
  }

  std::string Encode(const std::vector<size_t>& symbols) const {
    RansEncoder encoder(precision_bits_);
    for (size_t symbol : symbols) encoder.Add(Interval(symbol));
    return encoder.Finish();
  }

  // Empty optional when the decoder notices damage.
  std::optional<std::vector<size_t>> Decode(absl::string_view payload, size_t count) const {
    RansDecoder decoder(payload, precision_bits_);
    if (!decoder.Start()) return std::nullopt;
    std::vector<size_t> symbols;
    for (size_t i = 0; i < count; ++i) {
      symbols.push_back(FindSymbol(cumulative_, decoder.Slot()));
      if (!decoder.Take(Interval(symbols.back()))) return std::nullopt;
    }
    if (!decoder.Finished()) return std::nullopt;
    return symbols;
  }

 private:
  const int precision_bits_;
  std::vector<uint32_t> frequencies_;
  std::vector<uint32_t> cumulative_;
};

std::vector<uint32_t> SkewedWeights() {
  std::vector<uint32_t> weights(256);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<uint32_t>(1000000 / ((i + 1) * (i + 1)));
  return weights;
}

std::vector<size_t> Symbols(const StaticCode& code, size_t count) {
  CounterRng rng(5, "symbols", 0);
  std::vector<size_t> symbols(count);
  for (size_t& symbol : symbols) symbol = code.Draw(rng);
  return symbols;
}

TEST(RansTest, EmptyInputIsTheInitialState) {
  const StaticCode code({1, 1}, 16);
  const std::string payload = code.Encode({});
  EXPECT_EQ(payload, std::string("\0\0\0\x80\0\0\0\0", 8));
  EXPECT_TRUE(code.Decode(payload, 0).has_value());
}

TEST(RansTest, PayloadIsTheInformationContentAndEightBytes) {
  const StaticCode code(SkewedWeights(), 20);
  const std::vector<size_t> symbols = Symbols(code, 1000000);
  double bits = 0;
  for (size_t symbol : symbols) bits += code.Bits(symbol);
  const std::string payload = code.Encode(symbols);
  EXPECT_LE(static_cast<double>(payload.size()), bits / 8 * 1.0001 + 8);
  EXPECT_EQ(code.Decode(payload, symbols.size()), symbols);
}

TEST(RansTest, EveryPrecisionRoundTrips) {
  for (int precision_bits : {8, 12, 16, 20, 24}) {
    const StaticCode code(SkewedWeights(), precision_bits);
    const std::vector<size_t> symbols = Symbols(code, 3000);
    EXPECT_EQ(code.Decode(code.Encode(symbols), symbols.size()), symbols) << precision_bits;
  }
}

TEST(RansTest, OneSymbolAlphabetCostsNoBits) {
  const StaticCode code({1}, 24);
  EXPECT_EQ(code.Encode(std::vector<size_t>(10000, 0)).size(), kRansStateBytes);
}

TEST(RansTest, AnyChangedWordIsNoticed) {
  const StaticCode code(SkewedWeights(), 20);
  const std::vector<size_t> symbols = Symbols(code, 300);
  const std::string payload = code.Encode(symbols);
  for (size_t i = 0; i < payload.size(); ++i) {
    std::string damaged = payload;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_FALSE(code.Decode(damaged, symbols.size()).has_value()) << "byte " << i;
  }
}

TEST(RansTest, TruncationAndExtraWordsAreNoticed) {
  const StaticCode code(SkewedWeights(), 20);
  const std::vector<size_t> symbols = Symbols(code, 300);
  const std::string payload = code.Encode(symbols);
  for (size_t length = 0; length < payload.size(); ++length) {
    EXPECT_FALSE(code.Decode(payload.substr(0, length), symbols.size()).has_value()) << "length " << length;
  }
  EXPECT_FALSE(code.Decode(payload + std::string(4, '\0'), symbols.size()).has_value());
}

TEST(RansTest, AStateThatNoEncoderWritesIsRefused) {
  const StaticCode code({1, 1}, 16);
  EXPECT_FALSE(code.Decode(std::string(8, '\xff'), 0).has_value());
  EXPECT_FALSE(code.Decode(std::string(8, '\0'), 0).has_value());
}

}  // namespace
}  // namespace clm
