#include "core/tokenizer/text_counter.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::RandomLetters;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;
using Counts = std::map<std::string, uint64_t>;

std::unique_ptr<const Pretokenizer> Gpt2() {
  absl::StatusOr<std::unique_ptr<const Pretokenizer>> pretokenizer = MakePretokenizer(kGpt2Pattern);
  EXPECT_OK(pretokenizer);
  return *std::move(pretokenizer);
}

Counts CountsOf(CountStore& store) {
  Counts counts;
  EXPECT_OK(store.Visit({}, [&](absl::string_view piece, uint64_t count) {
    counts[std::string(piece)] += count;
    return absl::OkStatus();
  }));
  return counts;
}

TEST(TextCounterTest, CountsPiecesAndChunks) {
  const std::unique_ptr<const Pretokenizer> gpt2 = Gpt2();
  TextCounter counter({.pretokenizer = gpt2.get(), .chunk_bytes = 10});
  ASSERT_OK(counter.AddDocument("one two three\none two", {}));
  EXPECT_EQ(CountsOf(counter.pieces()), (Counts{{"one", 2}, {" two", 2}, {" three", 1}, {"\n", 1}}));
  // "one two" has 7 bytes, with " three" it would have 13; the line feed ends the second chunk.
  EXPECT_EQ(CountsOf(counter.chunks()), (Counts{{"\3one\4 two", 2}, {"\6 three\1\n", 1}}));
  EXPECT_EQ(counter.document_bytes(), 21);
}

// Whatever the cuts, long pieces and characters included.
TEST(TextCounterTest, PartsOfADocumentDoNotMatter) {
  const std::unique_ptr<const Pretokenizer> gpt2 = Gpt2();
  for (uint64_t round = 0; round < 10; ++round) {
    CounterRng rng(1, "text_counter_test", round);
    std::string document = std::string(round * 18'000, 'x');
    while (document.size() < 200'000) {
      document += RandomLetters(rng, 1 + rng.NextBelow(9), 3) + (rng.NextBelow(9) == 0 ? "\n \n" : " \u00e9\u20ac");
    }
    TextCounter whole({.pretokenizer = gpt2.get(), .chunk_bytes = 100});
    ASSERT_OK(whole.AddDocument(document, {}));
    TextCounter parts({.pretokenizer = gpt2.get(), .chunk_bytes = 100});
    const uint64_t longest = round % 2 == 0 ? 50 : 100'000;
    for (size_t begin = 0; begin < document.size();) {
      const size_t bytes = 1 + rng.NextBelow(longest);
      ASSERT_OK(parts.Push(absl::string_view(document).substr(begin, bytes), {}));
      begin += bytes;
    }
    EXPECT_TRUE(parts.is_open());
    ASSERT_OK(parts.Finish({}));
    EXPECT_FALSE(parts.is_open());
    ASSERT_EQ(CountsOf(parts.pieces()), CountsOf(whole.pieces())) << "round " << round;
    ASSERT_EQ(CountsOf(parts.chunks()), CountsOf(whole.chunks())) << "round " << round;
    EXPECT_EQ(parts.document_bytes(), document.size());
  }
}

TEST(TextCounterTest, RefusesLongPiecesBeforeTheyEnd) {
  const std::unique_ptr<const Pretokenizer> gpt2 = Gpt2();
  const std::string run(100'000, 'a');
  TextCounter whole({.pretokenizer = gpt2.get(), .max_distinct_bytes = 1'000'000});
  EXPECT_THAT(whole.AddDocument(std::string(3'000'000, 'a'), {}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("more than 1000000 bytes")));
  TextCounter parts({.pretokenizer = gpt2.get(), .max_distinct_bytes = 1'000'000});
  absl::Status status;
  int pushed = 0;
  for (; status.ok() && pushed < 100; ++pushed) status = parts.Push(run, {});
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_LT(pushed, 40);
}

}  // namespace
}  // namespace clm
