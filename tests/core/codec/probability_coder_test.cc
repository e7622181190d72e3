#include "core/codec/probability_coder.h"

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "core/base/byte_writer.h"
#include "core/entropy/rans.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::AllBytes;
using ::clm::testing::CoderOf;
using ::clm::testing::Order0Predictor;
using ::clm::testing::PairRepresentation;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::HasSubstr;

// Gives every symbol the same frequency, or tables that break the contract.
class FlatPredictor final : public SymbolPredictor {
 public:
  FlatPredictor(uint32_t vocab_size, int precision_bits, uint32_t surplus = 0)
      : vocab_size_(vocab_size), precision_bits_(precision_bits), surplus_(surplus) {}
  uint32_t vocab_size() const override { return vocab_size_; }
  size_t lanes() const override { return 1; }
  int precision_bits() const override { return precision_bits_; }
  std::string fingerprint() const override { return std::string(64, 'a'); }
  void Frequencies(size_t, std::span<uint32_t> out) override {
    NormalizeWeights(std::vector<uint32_t>(vocab_size_, 1), precision_bits_, out);
    out[0] += surplus_;
  }
  void Update(size_t, SymbolId) override {}
  void Reset(size_t) override {}
  std::unique_ptr<SymbolPredictor> Clone() const override { return std::make_unique<FlatPredictor>(*this); }

 private:
  uint32_t vocab_size_;
  int precision_bits_;
  uint32_t surplus_;
};

TEST(ProbabilityCoderTest, RoundTripsAndSaves) {
  const auto coder = CoderOf(std::make_unique<Order0Predictor>());
  for (const std::string& raw : {std::string(), std::string("x"), Words(1, 4000), AllBytes(2)}) {
    ASSERT_OK_AND_ASSIGN(const std::string payload, coder->Encode(raw, {}));
    EXPECT_EQ(*coder->Decode(payload, raw.size(), {}), raw);
  }
  EXPECT_LT(coder->Encode(Words(1, 4000), {})->size(), 2500u);
}

TEST(ProbabilityCoderTest, EightBitsPerByteOfAFlatPredictor) {
  const auto coder = CoderOf(std::make_unique<FlatPredictor>(256, 16));
  EXPECT_NEAR(static_cast<double>(coder->Encode(AllBytes(4), {})->size()), 1024, 8);
}

TEST(ProbabilityCoderTest, ASymbolThatIsNoByteIsDataLoss) {
  const auto coder = CoderOf(std::make_unique<FlatPredictor>(512, 16));
  ByteWriter payload;
  payload.WriteU64(kRansInitialState | (400 * 128));  // each symbol is 128 wide: slot of symbol 400
  EXPECT_THAT(coder->Decode(payload.view(), 1, {}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("symbol 400")));
}

TEST(ProbabilityCoderTest, AnIntervalThatBreaksTheContractIsRefused) {
  const auto coder = CoderOf(std::make_unique<FlatPredictor>(256, 16, 1));
  EXPECT_THAT(coder->Encode("abc\xff", {}), StatusIs(absl::StatusCode::kInternal, HasSubstr("65537) of 65536")));
}

TEST(ProbabilityCoderTest, CodesTheSymbolsOfAnyRepresentation) {
  const auto representation = std::make_shared<PairRepresentation>();
  ASSERT_OK_AND_ASSIGN(const auto model, CodingModel::Create(std::make_unique<FlatPredictor>(300, 16), representation));
  const ProbabilityCoder coder(model);
  const std::string raw = "abababxab" + AllBytes(1);
  ASSERT_OK_AND_ASSIGN(const std::string payload, coder.Encode(raw, {}));
  EXPECT_EQ(*coder.Decode(payload, raw.size(), {}), raw);
  // "ab" at the end of a block that ends between its bytes.
  ASSERT_OK_AND_ASSIGN(const std::string pair, coder.Encode("ab", {}));
  EXPECT_THAT(coder.Decode(pair, 1, {}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("beyond 1")));
}

TEST(ProbabilityCoderTest, ExpectationsChangeNoAnswer) {
  const auto coder = CoderOf(std::make_unique<Order0Predictor>());
  const std::string raw = Words(6, 300);
  ASSERT_OK_AND_ASSIGN(const std::string payload, coder->Encode(raw, {}));
  std::vector<std::string> expectations = {raw, Words(7, 300)};
  expectations.push_back(raw);
  expectations.back().back() = '?';
  for (const std::string& expected : expectations) EXPECT_EQ(*coder->DecodeExpecting(payload, expected, {}), raw);
  for (const size_t length : std::initializer_list<size_t>{0, 299}) {
    EXPECT_EQ(coder->DecodeExpecting(payload, absl::string_view(raw).substr(0, length), {}).status(),
              coder->Decode(payload, length, {}).status());
  }
  for (size_t i = 0; i < payload.size(); ++i) {
    std::string damaged = payload;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_EQ(coder->DecodeExpecting(damaged, raw, {}).status(), coder->Decode(damaged, raw.size(), {}).status()) << i;
  }
}

TEST(ProbabilityCoderTest, DamageAndCancellation) {
  const auto coder = CoderOf(std::make_unique<Order0Predictor>());
  const std::string raw = Words(6, 300);
  ASSERT_OK_AND_ASSIGN(const std::string payload, coder->Encode(raw, {}));
  for (size_t i = 0; i < payload.size(); ++i) {
    std::string damaged = payload;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_THAT(coder->Decode(damaged, raw.size(), {}), StatusIs(absl::StatusCode::kDataLoss)) << i;
  }
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(coder->Encode(raw, source.token()), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(coder->Decode(payload, raw.size(), source.token()), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
