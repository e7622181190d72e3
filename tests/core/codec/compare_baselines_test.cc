#include "core/codec/compare_baselines.h"

#include <string>
#include <vector>

#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Noise;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;

TEST(CompareBaselinesTest, SizesAreThoseOfTheCommandLineTools) {
  // printf of 100,000 letters 'a' through gzip -9n, xz -9e and zstd -19 (Debian 12).
  ASSERT_OK_AND_ASSIGN(const std::vector<BaselineSize> sizes, CompareBaselines(std::string(100000, 'a'), {}));
  ASSERT_EQ(sizes.size(), 3u);
  EXPECT_EQ(sizes[0].name, "gzip -9");
  EXPECT_EQ(sizes[0].size_bytes, 133u);
  EXPECT_EQ(sizes[1].name, "xz -9e");
  EXPECT_EQ(sizes[1].size_bytes, 148u);
  EXPECT_EQ(sizes[2].name, "zstd -19");
  EXPECT_NEAR(static_cast<double>(sizes[2].size_bytes), 25, 4);
}

TEST(CompareBaselinesTest, EmptyTextAndNoise) {
  for (const std::string& data : {std::string(), Words(1, 60000), Noise(2, 40000)}) {
    ASSERT_OK_AND_ASSIGN(const std::vector<BaselineSize> sizes, CompareBaselines(data, {}));
    for (const BaselineSize& size : sizes) {
      EXPECT_GT(size.size_bytes, 0u) << size.name;
      EXPECT_LT(size.size_bytes, data.size() + data.size() / 100 + 64) << size.name;
      EXPECT_GE(size.seconds, 0) << size.name;
    }
  }
}

TEST(CompareBaselinesTest, RefusesTooMuchAndStopsWhenCancelled) {
  const std::string large(kMaxBaselineBytes + 1, '\0');
  EXPECT_THAT(CompareBaselines(large, {}), StatusIs(absl::StatusCode::kResourceExhausted));
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(CompareBaselines("abc", source.token()), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
