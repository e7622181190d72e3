// Each kernel against its formula in double, for widths around every vector length.
#include "core/model/transformer/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/base/rng.h"

namespace clm {
namespace {

constexpr int64_t kRows = 3;

std::vector<float> Random(int64_t count, uint64_t index) {
  CounterRng rng(1, "kernels", index);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(4 * rng.NextDouble() - 2);
  return values;
}

double At(const std::vector<float>& values, int64_t i) { return static_cast<double>(values[static_cast<size_t>(i)]); }

class KernelsTest : public ::testing::TestWithParam<int64_t> {
 protected:
  const int64_t width_ = GetParam();
};

TEST_P(KernelsTest, RmsNormAndItsGradient) {
  const std::vector<float> x = Random(kRows * width_, 1);
  const std::vector<float> weight = Random(width_, 2);
  const std::vector<float> dy = Random(kRows * width_, 3);
  std::vector<float> y(x.size());
  std::vector<float> inv(kRows);
  std::vector<float> dx(x.size(), 1.0F);  // gradients are added
  std::vector<float> dweight(weight.size(), 1.0F);
  kernels::Run(kernels::RmsNormForward{x.data(), weight.data(), y.data(), inv.data(), width_, 0.01F}, 0, kRows);
  kernels::Run(
      kernels::RmsNormBackward{dy.data(), x.data(), weight.data(), inv.data(), dx.data(), dweight.data(), width_}, 0,
      kRows);
  std::vector<double> want_dweight(weight.size(), 1.0);
  for (int64_t row = 0; row < kRows; ++row) {
    double squares = 0;
    double dot = 0;
    for (int64_t j = 0; j < width_; ++j) {
      squares += At(x, row * width_ + j) * At(x, row * width_ + j);
      dot += At(dy, row * width_ + j) * At(weight, j) * At(x, row * width_ + j);
    }
    const double scale = 1 / std::sqrt(squares / static_cast<double>(width_) + 0.01);
    for (int64_t j = 0; j < width_; ++j) {
      const int64_t i = row * width_ + j;
      EXPECT_NEAR(At(y, i), At(x, i) * scale * At(weight, j), 1e-5);
      const double slope = dot * scale * scale * scale / static_cast<double>(width_);
      EXPECT_NEAR(At(dx, i), 1 + At(dy, i) * At(weight, j) * scale - At(x, i) * slope, 1e-4);
      want_dweight[static_cast<size_t>(j)] += At(dy, i) * At(x, i) * scale;
    }
  }
  for (int64_t j = 0; j < width_; ++j) EXPECT_NEAR(At(dweight, j), want_dweight[static_cast<size_t>(j)], 1e-4);
}

TEST_P(KernelsTest, SwiGluAndItsGradient) {
  const std::vector<float> gate_up = Random(kRows * 2 * width_, 4);
  const std::vector<float> dout = Random(kRows * width_, 5);
  std::vector<float> out(dout.size());
  std::vector<float> gradient = gate_up;
  kernels::Run(kernels::SwiGluForward{gate_up.data(), out.data(), width_}, 0, kRows);
  kernels::Run(kernels::SwiGluBackward{dout.data(), gradient.data(), width_}, 0, kRows);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t j = 0; j < width_; ++j) {
      const double g = At(gate_up, row * 2 * width_ + j);
      const double u = At(gate_up, row * 2 * width_ + width_ + j);
      const double d = At(dout, row * width_ + j);
      const double s = 1 / (1 + std::exp(-g));
      EXPECT_NEAR(At(out, row * width_ + j), g * s * u, 1e-5);
      EXPECT_NEAR(At(gradient, row * 2 * width_ + j), d * u * (s + g * s * (1 - s)), 1e-5);
      EXPECT_NEAR(At(gradient, row * 2 * width_ + width_ + j), d * g * s, 1e-5);
    }
  }
}

TEST_P(KernelsTest, SoftmaxNatsAndTheirGradient) {
  const std::vector<float> logits = Random(kRows * width_, 6);
  std::vector<float> gradient = logits;
  std::vector<float> scored = logits;
  const std::vector<int64_t> target = {0, -1, width_ - 1};
  std::vector<double> nats(kRows, -1);
  std::vector<double> nats_only(kRows, -1);
  kernels::Run(kernels::SoftmaxNats{gradient.data(), target.data(), nats.data(), width_, 0.5F, true}, 0, kRows);
  kernels::Run(kernels::SoftmaxNats{scored.data(), target.data(), nats_only.data(), width_, 0, false}, 0, kRows);
  EXPECT_EQ(nats, nats_only);
  EXPECT_EQ(nats[1], 0);
  for (const int64_t row : {0, 2}) {
    double sum = 0;
    for (int64_t j = 0; j < width_; ++j) sum += std::exp(At(logits, row * width_ + j));
    const int64_t wanted = target[static_cast<size_t>(row)];
    EXPECT_NEAR(nats[static_cast<size_t>(row)], std::log(sum) - At(logits, row * width_ + wanted), 1e-6);
    for (int64_t j = 0; j < width_; ++j) {
      const double p = std::exp(At(logits, row * width_ + j)) / sum;
      EXPECT_NEAR(At(gradient, row * width_ + j), 0.5 * (p - (j == wanted ? 1 : 0)), 1e-6);
    }
  }
  for (int64_t j = 0; j < width_; ++j) EXPECT_EQ(At(gradient, width_ + j), 0);
}

TEST_P(KernelsTest, RotationTurnsPairsAndItsInverseTurnsBack) {
  const int64_t stride = 3 * 2 * width_;  // two heads turn, what follows stays
  std::vector<float> rows = Random(kRows * stride, 7);
  const std::vector<float> before = rows;
  std::vector<float> cosine;
  std::vector<float> sine;
  for (int64_t i = 0; i < 5 * width_; ++i) {
    cosine.push_back(std::cos(0.1F * static_cast<float>(i)));
    sine.push_back(std::sin(0.1F * static_cast<float>(i)));
  }
  const std::vector<int32_t> position = {0, 4, 2};
  kernels::Rotate args{rows.data(), cosine.data(), sine.data(), position.data(), stride, 2, width_, false};
  kernels::Run(args, 0, kRows);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t j = 0; j < width_; ++j) {
      const int64_t low = row * stride + 2 * width_ + j;  // of the second head
      const double angle = 0.1 * static_cast<double>(position[static_cast<size_t>(row)] * width_ + j);
      const double want = At(before, low) * std::cos(angle) - At(before, low + width_) * std::sin(angle);
      EXPECT_NEAR(At(rows, low), want, 1e-5);
      EXPECT_EQ(At(rows, row * stride + 4 * width_ + j), At(before, row * stride + 4 * width_ + j));
    }
  }
  args.inverse = true;
  kernels::Run(args, 0, kRows);
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_NEAR(rows[i], before[i], 1e-5F);
}

INSTANTIATE_TEST_SUITE_P(Widths, KernelsTest, ::testing::Values(1, 3, 4, 7, 8, 16, 17, 31, 32, 50));

TEST(SumOfSquaresTest, AgreesWithDoubleForAnyLength) {
  const std::vector<float> values = Random(5000, 8);
  double want = 0;
  for (int64_t end = 0; end < 5000; ++end) {
    if (end % 487 == 0) {
      EXPECT_NEAR(kernels::SumOfSquares(values.data(), 0, end), want, 1e-4 * (1 + want));
    }
    want += At(values, end) * At(values, end);
  }
}

TEST(SoftmaxNatsTest, EqualLogitsCostExactlyTheLogarithm) {
  for (const int64_t width : {2, 300, 5003}) {
    std::vector<float> logits(static_cast<size_t>(width), 0.0F);
    const int64_t target = 1;
    double nats = 0;
    kernels::Run(kernels::SoftmaxNats{logits.data(), &target, &nats, width, 0, false}, 0, 1);
    EXPECT_EQ(nats, std::log(static_cast<double>(width)));
  }
}

TEST(SoftmaxNatsTest, HugeLogitsDoNotOverflow) {
  std::vector<float> logits = {1000.0F, -1000.0F, 999.0F};
  const int64_t target = 1;
  double nats = 0;
  kernels::Run(kernels::SoftmaxNats{logits.data(), &target, &nats, 3, 1.0F, true}, 0, 1);
  EXPECT_NEAR(nats, 2000 + std::log1p(std::exp(-1.0)), 1e-3);
  EXPECT_EQ(logits[1], -1.0F);
}

}  // namespace
}  // namespace clm
