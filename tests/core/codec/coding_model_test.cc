#include "core/codec/coding_model.h"

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/representation/byte.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Order0Predictor;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

// Says what it is told to be; never asked for a prediction.
class NamedPredictor final : public SymbolPredictor {
 public:
  NamedPredictor(uint32_t vocab_size, int precision_bits, size_t lanes)
      : vocab_size_(vocab_size), precision_bits_(precision_bits), lanes_(lanes) {}
  uint32_t vocab_size() const override { return vocab_size_; }
  size_t lanes() const override { return lanes_; }
  int precision_bits() const override { return precision_bits_; }
  std::string fingerprint() const override { return std::string(64, 'a'); }
  void Frequencies(size_t, std::span<uint32_t>) override {}
  void Update(size_t, SymbolId) override {}
  void Reset(size_t) override {}
  std::unique_ptr<SymbolPredictor> Clone() const override { return std::make_unique<NamedPredictor>(*this); }

 private:
  uint32_t vocab_size_;
  int precision_bits_;
  size_t lanes_;
};

TEST(CodingModelTest, RefusesPredictorsThatCannotCodeTheRepresentation) {
  const auto of = [](uint32_t vocab_size, int precision_bits, size_t lanes) {
    return CodingModel::OfBytes(std::make_unique<NamedPredictor>(vocab_size, precision_bits, lanes)).status();
  };
  EXPECT_THAT(of(255, 16, 1), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("255 symbols (at least 256)")));
  EXPECT_THAT(of(256, 11, 1), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("11 bits (12 to 24)")));
  EXPECT_THAT(of(256, 25, 1), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("25 bits")));
  EXPECT_THAT(of(256, 16, 0), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 lanes")));
  EXPECT_OK(of(256, 24, 1));
}

TEST(CodingModelTest, ParametersNameTheModel) {
  ASSERT_OK_AND_ASSIGN(const auto model, CodingModel::Create(std::make_unique<Order0Predictor>(),
                                                             std::make_shared<ByteRepresentation>(), 99));
  EXPECT_EQ(model->parameters().precision_bits, 16);
  EXPECT_EQ(model->parameters().window_symbols, 99U);
  EXPECT_EQ(model->parameters().predictor, ShortFingerprintOf(Order0Predictor().fingerprint()));
  EXPECT_EQ(model->parameters().representation, ShortFingerprint{});  // bytes need no name
}

TEST(CodingModelTest, BytesEndWhereTheBlockDoes) {
  ASSERT_OK_AND_ASSIGN(const auto model, CodingModel::OfBytes(std::make_unique<Order0Predictor>()));
  std::string raw = "a";
  EXPECT_OK(model->AppendBytes('b', 2, raw));
  EXPECT_EQ(raw, "ab");
  EXPECT_THAT(model->AppendBytes('c', 2, raw), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("beyond 2")));
  EXPECT_THAT(model->AppendBytes(256, 9, raw), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("symbol 256")));
  EXPECT_THAT(model->AppendBytes(9999, 9, raw), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("symbol 9999")));
}

}  // namespace
}  // namespace clm
