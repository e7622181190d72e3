#include "core/codec/rank_bin.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "absl/strings/escaping.h"
#include "core/base/digest.h"
#include "core/base/file_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/codec/rank_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::AnySymbols;
using ::clm::testing::IdealBits;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<RankSymbol>& GoldenMessage() {
  static const auto* const kMessage = new std::vector<RankSymbol>{15496, -1, -1, -2, -1, -3, -1, -1, 995};
  return *kMessage;
}

// What the original scripts were given for the files whose digests are below.
std::vector<RankSymbol> OriginalMessage(size_t length) {
  std::vector<RankSymbol> message;
  uint64_t x = 12345;
  while (message.size() < length) {
    x = (x * 1103515245 + 12345) % (uint64_t{1} << 31);
    const auto r = static_cast<int32_t>(x >> 16);
    message.push_back(r % 16 == 0 ? r : -1 - ((r >> 4) % 8) * ((r >> 7) % 8) / 4);
  }
  return message;
}

void SetU32(std::string& data, size_t field, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) data[4 * field + i] = static_cast<char>(static_cast<uint8_t>(value >> (24 - 8 * i)));
}

std::string GoldenFile() { return *WriteRankBin(*EncodeRankBin(GoldenMessage())); }

// The verdict on a file: of its structure, then of its coded symbols.
absl::Status Read(absl::string_view data) {
  const absl::StatusOr<RankBin> bin = ParseRankBin(data);
  return bin.ok() ? DecodeRankBin(*bin).status() : bin.status();
}

void ExpectRoundTrip(const std::vector<RankSymbol>& message, int precision_bits) {
  ASSERT_OK_AND_ASSIGN(const RankBin bin, EncodeRankBin(message, precision_bits));
  ASSERT_OK_AND_ASSIGN(const std::string data, WriteRankBin(bin));
  ASSERT_OK_AND_ASSIGN(const RankBin back, ParseRankBin(data));
  ASSERT_EQ(back, bin);
  ASSERT_OK_AND_ASSIGN(const std::vector<RankSymbol> decoded, DecodeRankBin(back));
  ASSERT_EQ(decoded, message);
}

// Numbers and bytes: what the original coder gives for this message.
TEST(RankBinTest, TheGoldenMessageGivesTheGoldenBytes) {
  ASSERT_OK_AND_ASSIGN(const RankBin bin, EncodeRankBin(GoldenMessage()));
  EXPECT_THAT(bin.symbols, ElementsAre(-1, 15496, -2, -3, 995));
  EXPECT_THAT(bin.counts, ElementsAre(5, 1, 1, 1, 1));
  EXPECT_THAT(RankBinWidths(bin.counts, 32), ElementsAre(2386092942, 477218588, 477218588, 477218588, 477218588));
  EXPECT_THAT(bin.words, ElementsAre(2386097830, 9785));
  EXPECT_EQ(bin.length, 9U);
  EXPECT_EQ(absl::BytesToHexString(GoldenFile()),
            "0000000500000001000000020000000900000020ffffffff00003c88fffffffefffffffd000003e3000000058e38f6a600002639");
  ASSERT_OK_AND_ASSIGN(const RankBin back, ParseRankBin(GoldenFile()));
  ASSERT_OK_AND_ASSIGN(const std::vector<RankSymbol> decoded, DecodeRankBin(back));
  EXPECT_EQ(decoded, GoldenMessage());
}

TEST(RankBinTest, AFileOfTheOriginalScriptsIsReadAndWrittenAlike) {
  ASSERT_OK_AND_ASSIGN(const std::string file,
                       ReadFile(PosixFileSystem(), CLM_GOLDEN_RANK_BIN_DIR "/original_400.bin", 4096));
  ASSERT_OK_AND_ASSIGN(const RankBin bin, ParseRankBin(file));
  ASSERT_OK_AND_ASSIGN(const std::vector<RankSymbol> message, DecodeRankBin(bin));
  EXPECT_EQ(message, OriginalMessage(400));
  ASSERT_OK_AND_ASSIGN(const RankBin again, EncodeRankBin(message));
  EXPECT_EQ(*WriteRankBin(again), file);
}

TEST(RankBinTest, OtherPrecisionsWriteWhatTheOriginalScriptsWrite) {
  ASSERT_OK_AND_ASSIGN(const RankBin bits24, EncodeRankBin(OriginalMessage(400), 24));
  EXPECT_EQ(Sha256Hex(*WriteRankBin(bits24)), "bdffd1c77c72c951cf084e3510dd123c0d89064918222375a66d70cd6aa5c29b");
  ASSERT_OK_AND_ASSIGN(const RankBin bits13, EncodeRankBin(OriginalMessage(400), 13));
  EXPECT_EQ(Sha256Hex(*WriteRankBin(bits13)), "75b1c65b5b59ba5c14a807600ff92700dbb1d1ce44b18b8102e5d0ef01a8aac0");
}

// Counts whose quotient is so close below a whole number that a double reaches it; computed with Python's division.
TEST(RankBinTest, WidthsOfLongTextsAreThoseOfADoubleDivision) {
  struct Case {
    uint32_t count, total;
    uint64_t width;
  };
  for (const Case& c : {Case{858993458, 4294967291, 858993459}, Case{4294967271, 4294967291, 4294967276},
                        Case{2522047878, 4000000007, 2708028284}, Case{2002211562, 3000000019, 2866477708},
                        Case{6634648, 3000000019, 9498531}, Case{444725704, 1000000007, 1910082341},
                        Case{157523364, 1000000007, 676557691}}) {
    EXPECT_EQ(RankBinWidths(std::vector<uint32_t>{c.count, c.total - c.count}, 32)[0], c.width) << c.count;
  }
}

TEST(RankBinTest, WidthsBelowTwoMillionSymbolsAreTheIntegerQuotients) {
  CounterRng rng(1, "widths", 0);
  for (int round = 0; round < 20000; ++round) {
    const auto total = static_cast<uint32_t>(2 + rng.NextBelow((uint64_t{1} << 21) - 2));
    const auto count = static_cast<uint32_t>(1 + rng.NextBelow(total - 1));
    ASSERT_EQ(RankBinWidths(std::vector<uint32_t>{count, total - count}, 32)[0], (uint64_t{count} << 32) / total);
  }
}

TEST(RankBinTest, RandomMessagesOfEveryPrecisionComeBack) {
  for (uint64_t round = 0; round < 1000; ++round) {
    CounterRng rng(round, "messages", 0);
    const int precision_bits = static_cast<int>(8 + rng.NextBelow(25));
    const uint64_t longest = std::min<uint64_t>(round % 20 == 0 ? 20000 : 400, uint64_t{1} << precision_bits);
    const auto different = static_cast<uint32_t>(1 + rng.NextBelow(5000));
    const auto message = AnySymbols(rng, 1 + rng.NextBelow(longest), different);
    ASSERT_NO_FATAL_FAILURE(ExpectRoundTrip(message, precision_bits)) << "round " << round;
    ASSERT_OK_AND_ASSIGN(const RankBin bin, EncodeRankBin(message));
    ASSERT_LE(static_cast<double>(4 * bin.words.size()), IdealBits(message) / 8 * 1.005 + 16) << "round " << round;
  }
}

TEST(RankBinTest, EdgesComeBack) {
  ExpectRoundTrip({}, 32);
  ExpectRoundTrip({0}, 32);
  ExpectRoundTrip({7, 7, 7, 7, 7, 7, 7, 7, 7, 7}, 32);  // one symbol: no words
  ExpectRoundTrip({1, 1, 2, 2, 3, 3}, 32);              // no count of 1: the original cannot write this
  std::vector<RankSymbol> distinct(256);
  std::iota(distinct.begin(), distinct.end(), -128);
  for (const int precision_bits : {8, 20, 32}) ExpectRoundTrip(distinct, precision_bits);
}

TEST(RankBinTest, OneSymbolHasTheWholeWidthAndNoWords) {
  ASSERT_OK_AND_ASSIGN(const RankBin bin, EncodeRankBin(std::vector<RankSymbol>(10, 7)));
  EXPECT_THAT(RankBinWidths(bin.counts, 32), ElementsAre(uint64_t{1} << 32));
  EXPECT_TRUE(bin.words.empty());
}

TEST(RankBinTest, WhatCannotBeEncodedIsRefused) {
  EXPECT_THAT(EncodeRankBin(GoldenMessage(), 7),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("precision 7")));
  EXPECT_THAT(EncodeRankBin(GoldenMessage(), 33), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(EncodeRankBin(std::vector<RankSymbol>(257, 1), 8),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("the limit is 256")));
}

TEST(RankBinFileTest, EveryTruncationIsRefused) {
  const std::string file = GoldenFile();
  for (size_t length = 0; length < file.size(); ++length) {
    EXPECT_THAT(ParseRankBin(absl::string_view(file).substr(0, length)), StatusIs(absl::StatusCode::kDataLoss));
  }
  EXPECT_THAT(ParseRankBin(file + '\0'), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(RankBinFileTest, HeaderBombsAreRefused) {
  for (size_t field = 0; field < 5; ++field) {
    for (const uint32_t value : {0xffffffffU, 0x7fffffffU, 0U}) {
      std::string file = GoldenFile();
      SetU32(file, field, value);
      EXPECT_THAT(ParseRankBin(file), StatusIs(absl::StatusCode::kDataLoss)) << "field " << field << " = " << value;
    }
  }
}

TEST(RankBinFileTest, MoreCountsThanSymbolsAreRefused) {
  std::string file = GoldenFile();
  SetU32(file, 1, 6);
  EXPECT_THAT(ParseRankBin(file), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("6 counts for 5 symbols")));
}

TEST(RankBinFileTest, PrecisionsOutOfRangeAreRefused) {
  for (const uint32_t precision : {0U, 7U, 33U}) {
    std::string file = GoldenFile();
    SetU32(file, 4, precision);
    EXPECT_THAT(ParseRankBin(file), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("precision")));
  }
}

TEST(RankBinFileTest, WordsWithoutSymbolsAreRefused) {
  std::string file(24, '\0');
  SetU32(file, 2, 1);
  SetU32(file, 4, 32);
  EXPECT_THAT(ParseRankBin(file), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("1 words for no symbols")));
}

TEST(RankBinFileTest, TablesThatNoEncoderWritesAreRefused) {
  const RankBin good = *EncodeRankBin(std::vector<RankSymbol>{5, 5, 5, -1, -1, 8}, 16);
  const auto refused = [&](auto change, const char* why) {
    RankBin bin = good;
    change(bin);
    EXPECT_THAT(CheckRankBin(bin), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(why)));
    EXPECT_THAT(WriteRankBin(bin), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
    EXPECT_THAT(DecodeRankBin(bin), StatusIs(absl::StatusCode::kDataLoss));
  };
  refused([](RankBin& bin) { bin.symbols[1] = 5; }, "symbol 5 twice");
  refused([](RankBin& bin) { bin.counts = {2, 3, 1}; }, "counts rise at symbol 1");
  refused([](RankBin& bin) { bin.counts = {4, 2, 0}; }, "symbol 2 zero times");
  refused([](RankBin& bin) { bin.counts = {4, 2, 1}; }, "counts 7 symbols but says 6");
  refused([](RankBin& bin) { bin.counts.pop_back(); }, "3 symbols and 2 counts");
  refused([](RankBin& bin) { bin.words.push_back(65536); }, "more than 16 bits");
  refused([](RankBin& bin) { bin.words.push_back(0); }, "empty word");
}

TEST(RankBinFileTest, ALongTextOfOneSymbolIsHeldToTheCallersLimit) {
  RankBin bin = {.precision_bits = 32, .length = 0xffffffff, .symbols = {7}, .counts = {0xffffffff}, .words = {}};
  ASSERT_OK_AND_ASSIGN(const std::string file, WriteRankBin(bin));  // 28 bytes
  ASSERT_OK_AND_ASSIGN(bin, ParseRankBin(file));
  EXPECT_THAT(DecodeRankBin(bin), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("4294967295 symbols")));
}

TEST(RankBinFileTest, DamagedPayloadsAreFound) {
  const std::string file = *WriteRankBin(*EncodeRankBin(OriginalMessage(400)));
  const size_t word_bytes = 4 * (size_t{static_cast<uint8_t>(file[10])} * 256 + static_cast<uint8_t>(file[11]));
  for (size_t bit = 8 * (file.size() - word_bytes); bit < 8 * file.size(); ++bit) {
    std::string damaged = file;
    damaged[bit / 8] = static_cast<char>(static_cast<uint8_t>(damaged[bit / 8]) ^ (1U << (bit % 8)));
    EXPECT_THAT(Read(damaged), StatusIs(absl::StatusCode::kDataLoss)) << "bit " << bit;
  }
}

TEST(RankBinFileTest, NoDamageAnywhereDoesMoreThanChangeTheText) {
  const std::string file = *WriteRankBin(*EncodeRankBin(OriginalMessage(400)));
  for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
    std::string damaged = file;
    damaged[bit / 8] = static_cast<char>(static_cast<uint8_t>(damaged[bit / 8]) ^ (1U << (bit % 8)));
    const absl::Status status = Read(damaged);
    EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kDataLoss) << status;
  }
}

}  // namespace
}  // namespace clm
