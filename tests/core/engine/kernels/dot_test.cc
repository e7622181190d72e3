#include "core/engine/kernels/dot.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "core/base/huge_pages.h"
#include "core/base/rng.h"

namespace clm {
namespace {

template <typename T>
using Aligned = std::vector<T, HugePageAllocator<T>>;

struct Case {
  size_t panels;
  size_t groups;
  size_t rows;
  bool with_sums;
  bool extreme;  // every value as large as it may be
};

// Weights and activations of one product, and what a target makes of them.
class Product {
 public:
  Product(const Case& shape, uint64_t seed) : shape_(shape) {
    CounterRng rng(seed, "dot", 0);
    weights_.resize(shape.panels * shape.groups * 64);
    sums_.assign(shape.panels * kPanelRows, 0);
    for (size_t i = 0; i < weights_.size(); ++i) {
      weights_[i] = static_cast<int8_t>(shape.extreme ? (seed % 2 == 0 ? 127 : -127) : int(rng.NextBelow(255)) - 127);
      sums_[i / (shape.groups * 64) * kPanelRows + i / 4 % kPanelRows] += weights_[i];
    }
    for (size_t i = 0; i < shape.rows * stride(); ++i) {
      a_.push_back(static_cast<uint8_t>(shape.extreme ? 255 : rng.NextBelow(256)));
    }
  }

  std::vector<int32_t> Run(DotTarget target) const {
    DotArgs args;
    args.panels = weights_.data();
    args.panel_count = shape_.panels;
    args.panel_stride = shape_.groups * 64;
    args.groups = shape_.groups;
    args.row_sums = shape_.with_sums ? sums_.data() : nullptr;
    args.a = a_.data();
    args.a_stride = stride();
    args.rows = shape_.rows;
    const size_t out_stride = shape_.panels * kPanelRows + 3;
    std::vector<int32_t> out(shape_.rows * out_stride, 12345);
    args.out = out.data();
    args.out_stride = out_stride;
    DotOf(target)(args);
    return out;
  }

  // By the definition, in 64 bits.
  int64_t Want(size_t row, size_t column) const {
    const int offset = shape_.with_sums ? kActivationOffset : 0;
    int64_t sum = 0;
    for (size_t k = 0; k < 4 * shape_.groups; ++k) {
      const size_t at = ((column / 16 * shape_.groups + k / 4) * 16 + column % 16) * 4 + k % 4;
      sum += int64_t{a_[row * stride() + k] - offset} * weights_[at];
    }
    return sum;
  }

 private:
  size_t stride() const { return 4 * shape_.groups + 4; }

  const Case shape_;
  Aligned<int8_t> weights_;
  std::vector<int32_t> sums_;
  std::vector<uint8_t> a_;
};

TEST(DotTest, EveryTargetGivesTheSumsOfTheDefinition) {
  uint64_t seed = 0;
  for (const size_t panels : std::initializer_list<size_t>{1, 2, 3, 7, 13}) {
    for (const size_t groups : std::initializer_list<size_t>{1, 3, 8, 17}) {
      for (const size_t rows : std::initializer_list<size_t>{1, 2, 3, 5, 8, 13, 32}) {
        for (const bool with_sums : {false, true}) {
          const Case shape = {panels, groups, rows, with_sums, ++seed % 5 == 0};
          const Product product(shape, seed);
          const std::vector<int32_t> scalar = product.Run(DotTarget::kScalar);
          ASSERT_EQ(scalar[0], product.Want(0, 0)) << seed;
          ASSERT_EQ(scalar[scalar.size() - 4], product.Want(rows - 1, panels * 16 - 1)) << seed;
          for (const DotTarget target : SupportedDotTargets()) {
            ASSERT_EQ(product.Run(target), scalar) << DotTargetName(target) << " seed " << seed;
          }
        }
      }
    }
  }
}

TEST(DotTest, TheLargestSumsAreExact) {
  // 66,000 columns of 127 times 255 come to 0.995 * 2^31.
  for (const uint64_t seed : std::initializer_list<uint64_t>{10, 11}) {
    const Case shape = {.panels = 2, .groups = 16500, .rows = 3, .with_sums = false, .extreme = true};
    const Product product(shape, seed);
    for (const DotTarget target : SupportedDotTargets()) {
      EXPECT_EQ(product.Run(target)[1], product.Want(0, 1)) << DotTargetName(target);
    }
  }
}

TEST(DotTest, ScalarIsAlwaysThere) {
  EXPECT_EQ(SupportedDotTargets().front(), DotTarget::kScalar);
  EXPECT_EQ(DotTargetName(DotTarget::kAvx512Vnni), "avx512_vnni");
}

}  // namespace
}  // namespace clm
