#include "core/data/delimited_reader.h"

#include <algorithm>
#include <random>
#include <utility>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using Result = DelimitedReader::Result;

// Hands a text out in chunks of the given sizes, then in one piece.
class ChunkedStream final : public InputStream {
 public:
  ChunkedStream(std::string text, std::vector<size_t> sizes) : text_(std::move(text)), sizes_(std::move(sizes)) {}
  absl::Status Read(std::string& out) override {
    const size_t wanted = next_ < sizes_.size() ? sizes_[next_++] : text_.size();
    out = text_.substr(position_, wanted);
    position_ += out.size();
    return absl::OkStatus();
  }
  uint64_t stored_bytes_read() const override { return position_; }

 private:
  const std::string text_;
  const std::vector<size_t> sizes_;
  size_t next_ = 0;
  size_t position_ = 0;
};

// The slow twin: everything in memory. "" stands for a piece over the limit, marked by the second member.
std::vector<std::pair<std::string, bool>> SplitReference(std::string text, const std::string& delimiter, size_t limit) {
  std::vector<std::pair<std::string, bool>> pieces;
  while (true) {
    const size_t end = text.find(delimiter);
    const std::string piece = text.substr(0, end);
    if (end == std::string::npos && piece.empty()) return pieces;
    pieces.emplace_back(piece.size() > limit ? "" : piece, piece.size() > limit);
    if (end == std::string::npos) return pieces;
    text.erase(0, end + delimiter.size());
  }
}

std::vector<std::pair<std::string, bool>> SplitAll(DelimitedReader& reader) {
  std::vector<std::pair<std::string, bool>> pieces;
  std::string piece;
  while (true) {
    const auto result = reader.Next(piece);
    EXPECT_OK(result);
    if (!result.ok() || *result == Result::kEnd) return pieces;
    pieces.emplace_back(piece, *result == Result::kTooLong);
  }
}

TEST(DelimitedReaderTest, AgreesWithReferenceHoweverTheStreamIsCut) {
  std::mt19937 rng(20260302);
  const std::vector<std::string> delimiters = {"\n", "ab", "aab", "aaa"};
  for (int round = 0; round < 2'000; ++round) {
    std::string text(rng() % 40, 'a');
    for (char& c : text) c = "ab\n"[rng() % 3];
    const std::string& delimiter = delimiters[rng() % delimiters.size()];
    const size_t limit = rng() % 8 + 1;
    std::vector<size_t> sizes;
    for (int i = 0; i < 40; ++i) sizes.push_back(rng() % 5 + 1);
    DelimitedReader reader(std::make_unique<ChunkedStream>(text, sizes), delimiter, limit);
    ASSERT_EQ(SplitAll(reader), SplitReference(text, delimiter, limit)) << "round " << round;
  }
}

TEST(DelimitedReaderTest, WhatFollowsTheLastDelimiterCountsUnlessEmpty) {
  DelimitedReader with(std::make_unique<ChunkedStream>("a\n\nb\n", std::vector<size_t>{}), "\n", 10);
  EXPECT_EQ(SplitAll(with).size(), 3U);
  DelimitedReader without(std::make_unique<ChunkedStream>("a\n\nb", std::vector<size_t>{}), "\n", 10);
  EXPECT_EQ(SplitAll(without).size(), 3U);
}

TEST(DelimitedReaderTest, TheEndRepeats) {
  DelimitedReader reader(std::make_unique<ChunkedStream>("", std::vector<size_t>{}), "\n", 10);
  std::string piece;
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const Result result, reader.Next(piece));
    EXPECT_EQ(result, Result::kEnd);
  }
}

}  // namespace
}  // namespace clm
