#include "core/data/batcher.h"

#include <algorithm>
#include <map>
#include <random>

#include "core/base/rng.h"
#include "core/base/status_macros.h"
#include "tests/core/data/toy_representation.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::ToyRepresentation;
using ::testing::AllOf;
using ::testing::HasSubstr;

bool operator==(const Batch& left, const Batch& right) {
  return left.rows == right.rows && left.columns == right.columns && left.inputs == right.inputs &&
         left.targets == right.targets && left.positions == right.positions && left.segments == right.segments &&
         left.target_bytes == right.target_bytes && left.target_count == right.target_count;
}

std::vector<std::string> RandomDocuments(uint32_t seed, size_t count, size_t longest) {
  std::mt19937 rng(seed);
  std::vector<std::string> documents(count);
  for (std::string& document : documents) {
    if (rng() % 8 == 0) continue;  // empty ones are documents too
    document.resize(rng() % longest + 1);
    for (char& c : document) c = static_cast<char>('a' + rng() % 3);
  }
  return documents;
}

class BatcherTest : public ::testing::Test {
 protected:
  std::unique_ptr<IdStream> MakeStream(const std::vector<std::string>& documents,
                                       const Representation& representation) {
    const std::string path = directory_.File(std::to_string(next_++) + ".ids");
    auto writer = *IdStreamWriter::Create(
        PosixFileSystem(), path,
        {.vocab_size = representation.layout().vocab_size, .boundary = representation.layout().boundary});
    for (const std::string& document : documents) {
      EXPECT_OK(writer->AppendDocument(*representation.Encode(document), document.size()));
    }
    EXPECT_OK(writer->Finish());
    return *IdStream::Open(PosixFileSystem(), path);
  }
  std::unique_ptr<IdStreamBatcher> MakeBatcher(const IdStream& stream, const Representation& representation,
                                               const BatcherOptions& options) {
    auto batcher = IdStreamBatcher::Create(stream, SymbolByteCounts(representation), options);
    EXPECT_OK(batcher);
    return *std::move(batcher);
  }

  testing::TemporaryDirectory directory_;
  int next_ = 0;
  const ToyRepresentation bytes_{{}};
  const ToyRepresentation words_{{"ab", "abc", "aa", "cabba"}};
};

// The symbols of the epoch with the step that owns each, straight from the rule.
struct OwnedSymbol {
  SymbolId previous;
  SymbolId symbol;
  uint64_t step;
  bool operator==(const OwnedSymbol&) const = default;
};
std::vector<OwnedSymbol> EpochReference(const std::vector<std::string>& documents, const Representation& representation,
                                        const BatcherOptions& options, uint64_t epoch) {
  std::vector<size_t> order(documents.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  CounterRng rng(options.seed, "shuffle", epoch);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.NextBelow(i)]);
  std::vector<OwnedSymbol> all;
  uint64_t byte = 0;
  const SymbolId boundary = representation.layout().boundary;
  for (const size_t document : order) {
    std::vector<SymbolId> symbols = *representation.Encode(documents[document]);
    symbols.push_back(boundary);
    SymbolId previous = boundary;
    for (const SymbolId symbol : symbols) {
      const uint64_t length = representation.SymbolBytes(symbol).size();
      const uint64_t owner = length > 0 || byte == 0 ? byte : byte - 1;
      all.push_back({previous, symbol, owner / options.bytes_per_step});
      byte += length;
      previous = symbol;
    }
  }
  return all;
}

TEST_F(BatcherTest, AgreesWithReferenceEverySymbolOncePerEpoch) {
  for (uint32_t round = 0; round < 30; ++round) {
    const auto documents = RandomDocuments(round, 1 + round % 9, 1 + round % 30);
    if (std::all_of(documents.begin(), documents.end(), [](const auto& text) { return text.empty(); })) continue;
    const BatcherOptions options{.bytes_per_step = 5 + round % 13, .columns = 1 + round % 7, .seed = round};
    const auto stream = MakeStream(documents, words_);
    const auto batcher = MakeBatcher(*stream, words_, options);
    for (uint64_t epoch = 0; epoch < 2; ++epoch) {
      std::vector<OwnedSymbol> found;
      Batch batch;
      for (uint64_t step = 0; step < batcher->steps_per_epoch(); ++step) {
        ASSERT_OK(batcher->Get(epoch * batcher->steps_per_epoch() + step, batch));
        ASSERT_GT(batch.target_count, 0U);
        for (size_t i = 0; i < batch.target_count; ++i) {
          found.push_back({batch.inputs[i], static_cast<SymbolId>(batch.targets[i]), step});
        }
      }
      ASSERT_EQ(found, EpochReference(documents, words_, options, epoch)) << "round " << round << " epoch " << epoch;
    }
  }
}

TEST_F(BatcherTest, TwoRepresentationsGetTheSameBytesAtEveryStepUpToOneSymbol) {
  const auto documents = RandomDocuments(5, 40, 200);
  const BatcherOptions options{.bytes_per_step = 64, .columns = 16, .seed = 9};
  const auto byte_stream = MakeStream(documents, bytes_);
  const auto word_stream = MakeStream(documents, words_);
  const auto byte_batcher = MakeBatcher(*byte_stream, bytes_, options);
  const auto word_batcher = MakeBatcher(*word_stream, words_, options);
  ASSERT_EQ(byte_batcher->steps_per_epoch(), word_batcher->steps_per_epoch());
  std::string byte_text;
  std::string word_text;
  for (uint64_t step = 0; step < 3 * byte_batcher->steps_per_epoch(); ++step) {
    Batch byte_batch;
    Batch word_batch;
    ASSERT_OK(byte_batcher->Get(step, byte_batch));
    ASSERT_OK(word_batcher->Get(step, word_batch));
    for (size_t i = 0; i < byte_batch.target_count; ++i) {
      byte_text += std::string(bytes_.SymbolBytes(static_cast<SymbolId>(byte_batch.targets[i])));
    }
    for (size_t i = 0; i < word_batch.target_count; ++i) {
      word_text += std::string(words_.SymbolBytes(static_cast<SymbolId>(word_batch.targets[i])));
    }
    // The longest symbol has 5 bytes; it may begin on the last byte of a step.
    ASSERT_GE(word_text.size(), byte_text.size()) << step;
    ASSERT_LE(word_text.size(), byte_text.size() + 4) << step;
    ASSERT_EQ(word_text.substr(0, byte_text.size()), byte_text) << step;
  }
  EXPECT_EQ(word_text, byte_text);
}

TEST_F(BatcherTest, AnyCallOrderAndAFreshBatcherGiveTheSameBatches) {
  const auto documents = RandomDocuments(6, 30, 100);
  const BatcherOptions options{.bytes_per_step = 50, .columns = 8, .horizons = 2, .seed = 3};
  const auto stream = MakeStream(documents, words_);
  const auto first = MakeBatcher(*stream, words_, options);
  const uint64_t steps = 3 * first->steps_per_epoch();
  std::vector<Batch> in_order(steps);
  for (uint64_t step = 0; step < steps; ++step) ASSERT_OK(first->Get(step, in_order[step]));
  const auto resumed = MakeBatcher(*stream, words_, options);
  Batch batch;
  batch.inputs.assign(1'000, 77);  // leftovers of another use must not show
  for (uint64_t i = 0; i < steps; ++i) {
    const uint64_t step = (i * 7'919 + 11) % steps;
    ASSERT_OK(resumed->Get(step, batch));
    ASSERT_TRUE(batch == in_order[step]) << step;
  }
}

TEST_F(BatcherTest, RowsAreLaidOutAsPromised) {
  const auto stream = MakeStream({"abcd", "", "x"}, bytes_);
  const SymbolId end = bytes_.layout().boundary;
  const auto batcher =
      MakeBatcher(*stream, bytes_, {.bytes_per_step = 100, .columns = 3, .horizons = 2, .shuffle = false});
  Batch batch;
  ASSERT_OK(batcher->Get(0, batch));
  ASSERT_EQ(batch.rows, 3U);
  EXPECT_EQ(batch.inputs, (std::vector<SymbolId>{end, 'a', 'b', 'c', 'd', end, end, 'x', end}));
  constexpr int64_t kNone = Batch::kNoTarget;
  const int64_t last = end;
  EXPECT_EQ(batch.targets, (std::vector<int64_t>{'a', 'b', 'c', 'd', last, last, 'x', last, kNone,  //
                                                 'b', 'c', 'd', last, kNone, kNone, last, kNone, kNone}));
  EXPECT_EQ(batch.positions, (std::vector<int32_t>{0, 1, 2, 0, 1, 0, 0, 1, 0}));
  EXPECT_EQ(batch.segments, (std::vector<int32_t>{0, 0, 0, 0, 0, 1, 0, 0, -1}));
  EXPECT_EQ(batch.target_bytes, (std::vector<uint32_t>{1, 1, 1, 1, 0, 0, 1, 0, 0}));
  EXPECT_EQ(batch.target_count, 8U);
  EXPECT_EQ(batch.original_bytes, 5U);
  EXPECT_EQ(batch.documents_ended, 3U);
}

TEST_F(BatcherTest, EpochsHaveTheirOwnOrderAndSeedsToo) {
  const auto documents = RandomDocuments(8, 50, 20);
  const auto stream = MakeStream(documents, bytes_);
  const auto batcher = MakeBatcher(*stream, bytes_, {.bytes_per_step = 100, .seed = 1});
  const auto other = MakeBatcher(*stream, bytes_, {.bytes_per_step = 100, .seed = 2});
  Batch first;
  Batch second;
  Batch third;
  ASSERT_OK(batcher->Get(0, first));
  ASSERT_OK(batcher->Get(batcher->steps_per_epoch(), second));
  ASSERT_OK(other->Get(0, third));
  EXPECT_NE(first.inputs, second.inputs);
  EXPECT_NE(first.inputs, third.inputs);
}

TEST_F(BatcherTest, LongDocumentsAreFoundThroughTheIndex) {
  std::string text(40'000, 'a');
  for (size_t i = 0; i < text.size(); i += 3) text[i] = 'b';
  const std::vector<std::string> documents = {"start", text, "", text};
  const BatcherOptions options{.bytes_per_step = 1'000, .columns = 64, .seed = 4};
  const auto stream = MakeStream(documents, words_);
  const auto batcher = MakeBatcher(*stream, words_, options);
  const auto want = EpochReference(documents, words_, options, 0);
  Batch batch;
  for (uint64_t step = batcher->steps_per_epoch(); step-- > 0;) {
    ASSERT_OK(batcher->Get(step, batch));
    const auto begin = std::find_if(want.begin(), want.end(), [&](const auto& owned) { return owned.step == step; });
    for (size_t i = 0; i < batch.target_count; ++i) {
      const auto& owned = begin[static_cast<std::ptrdiff_t>(i)];
      ASSERT_EQ(owned, (OwnedSymbol{batch.inputs[i], static_cast<SymbolId>(batch.targets[i]), step}));
    }
  }
}

TEST_F(BatcherTest, WhatCannotBeBatchedIsRefusedByName) {
  const auto stream = MakeStream({"abcabba"}, words_);
  const auto create = [&](std::vector<uint32_t> table, const BatcherOptions& options) {
    return IdStreamBatcher::Create(*stream, std::move(table), options).status();
  };
  const auto table = SymbolByteCounts(words_);
  const auto invalid = [](const char* text) { return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text)); };
  EXPECT_OK(create(table, {.bytes_per_step = 5}));
  EXPECT_THAT(create(table, {.bytes_per_step = 4}), invalid("longest symbol's 5 bytes"));
  EXPECT_THAT(create(table, {.bytes_per_step = 0}), invalid("bytes_per_step"));
  EXPECT_THAT(create(table, {.columns = 0}), invalid("columns"));
  EXPECT_THAT(create(table, {.horizons = 257}), invalid("horizons"));
  EXPECT_THAT(create({1, 2}, {}), invalid("2 symbols"));
  auto wrong = table;
  wrong[257] = 9;  // "abc"
  EXPECT_THAT(create(wrong, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, AllOf(HasSubstr("document 0"), HasSubstr("7 original"))));
  const auto empty = MakeStream({"", ""}, words_);
  EXPECT_THAT(IdStreamBatcher::Create(*empty, table, {}), invalid("no bytes"));
}

}  // namespace
}  // namespace clm
