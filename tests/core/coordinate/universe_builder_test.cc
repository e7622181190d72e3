#include "core/coordinate/universe_builder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>

#include "core/coordinate/fold_reference.h"
#include "core/coordinate/folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::Describe;
using ::clm::testing::Ids;
using ::clm::testing::Learn;
using ::clm::testing::Pairs;
using ::clm::testing::PairsOf;
using ::clm::testing::RandomIds;
using ::clm::testing::RandomStarts;
using ::clm::testing::Starts;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Ids Fold(const Universe& universe, const Ids& ids) { return Folder(universe).Fold(ids).value(); }

UniverseOptions Layers(int layers) { return {.layers = layers, .nodes_per_layer = 4096, .min_count = 2}; }

// Acceptance check 1: the hand-checked examples of the method, one test each.
TEST(UniverseBuilderTest, VectorTwoDocumentsTwoLayers) {
  const Ids document = {81, 19, 81, 19, 42, 7};
  const Universe universe = Learn(Layers(2), 100, {document, document}).universe;
  ASSERT_EQ(universe.layer_count(), 2);
  EXPECT_EQ(PairsOf(universe, 1), (Pairs{{81, 19}, {19, 42}, {19, 81}, {42, 7}}));
  EXPECT_EQ(PairsOf(universe, 2), (Pairs{{100, 100}, {100, 103}}));
  EXPECT_THAT(Fold(universe, document), ElementsAre(104, 103));
}

TEST(UniverseBuilderTest, VectorSevenEqualSymbols) {
  const Universe universe = Learn(Layers(3), 10, {Ids(7, 5)}).universe;
  ASSERT_EQ(universe.layer_count(), 2);
  EXPECT_EQ(PairsOf(universe, 1), (Pairs{{5, 5}}));
  EXPECT_EQ(PairsOf(universe, 2), (Pairs{{10, 10}}));
  EXPECT_THAT(Fold(universe, Ids(7, 5)), ElementsAre(11, 10, 5));
}

TEST(UniverseBuilderTest, VectorEightEqualSymbols) {
  const Universe universe = Learn(Layers(3), 10, {Ids(8, 5)}).universe;
  ASSERT_EQ(universe.layer_count(), 2) << "the pair of two 11s occurs once";
  EXPECT_EQ(PairsOf(universe, 1), (Pairs{{5, 5}}));
  EXPECT_EQ(PairsOf(universe, 2), (Pairs{{10, 10}}));
  EXPECT_THAT(Fold(universe, Ids(8, 5)), ElementsAre(11, 11));
}

TEST(UniverseBuilderTest, VectorSixteenEqualSymbols) {
  const Universe universe = Learn(Layers(3), 10, {Ids(16, 5)}).universe;
  ASSERT_EQ(universe.layer_count(), 3);
  EXPECT_EQ(PairsOf(universe, 3), (Pairs{{11, 11}}));
  EXPECT_THAT(Fold(universe, Ids(16, 5)), ElementsAre(12, 12));
}

TEST(UniverseBuilderTest, VectorThreeEqualSymbolsDependOnTheOverlapRule) {
  UniverseOptions options = Layers(3);
  const Universe raw = Learn(options, 10, {Ids(3, 5)}).universe;
  ASSERT_EQ(raw.layer_count(), 1);
  EXPECT_EQ(PairsOf(raw, 1), (Pairs{{5, 5}}));
  EXPECT_THAT(Fold(raw, Ids(3, 5)), ElementsAre(10, 5));
  options.overlap = PairOverlap::kExact;
  const Universe exact = Learn(options, 10, {Ids(3, 5)}).universe;
  EXPECT_EQ(exact.layer_count(), 0);
  EXPECT_THAT(Fold(exact, Ids(3, 5)), ElementsAre(5, 5, 5));
}

TEST(UniverseBuilderTest, VectorCountsDecideTheOrder) {
  std::vector<Ids> documents(5, Ids{1, 2, 3});
  documents.insert(documents.end(), 3, Ids{1, 2});
  documents.push_back({4, 2, 3});
  const LearnedUniverse learned = Learn(Layers(1), 10, documents);
  EXPECT_EQ(PairsOf(learned.universe, 1), (Pairs{{1, 2}, {2, 3}}));  // 8 and 6 occurrences
  EXPECT_THAT(learned.frequencies, ElementsAre(8, 1)) << "folds: 2 3 is left only behind the 4";
  EXPECT_THAT(Fold(learned.universe, {1, 2, 3}), ElementsAre(10, 3));
  EXPECT_THAT(Fold(learned.universe, {1, 2}), ElementsAre(10));
  EXPECT_THAT(Fold(learned.universe, {4, 2, 3}), ElementsAre(4, 11));
}

TEST(UniverseBuilderTest, VectorBoundarySymbolsNeverFold) {
  const Ids document = {1, 2, 0, 1, 2, 0};
  const Universe universe = Learn(Layers(2), 10, {document, document}, {0}).universe;
  ASSERT_EQ(universe.layer_count(), 1);
  EXPECT_EQ(PairsOf(universe, 1), (Pairs{{1, 2}}));
  EXPECT_THAT(Fold(universe, document), ElementsAre(10, 0, 10, 0));
}

TEST(UniverseBuilderTest, VectorTiesGoToTheSmallerIds) {
  UniverseOptions options = Layers(1);
  options.nodes_per_layer = 2;
  const std::vector<Ids> documents = {{3, 4}, {3, 4}, {1, 9}, {1, 9}, {1, 2}, {1, 2}};
  EXPECT_EQ(PairsOf(Learn(options, 10, documents).universe, 1), (Pairs{{1, 2}, {1, 9}}));
}

TEST(UniverseBuilderTest, VectorPairsNeverSpanDocuments) {
  UniverseOptions options = Layers(2);
  options.min_count = 1;
  // Acceptance check 10 as well: documents of one symbol teach nothing.
  EXPECT_EQ(Learn(options, 10, {{1}, {2}, {1}, {2}}).universe.layer_count(), 0);
}

// Acceptance check 4: no documents is an error with a name.
TEST(UniverseBuilderTest, NoDocumentsIsAnError) {
  ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create({}, 10, {}));
  ThreadPool pool(1);
  EXPECT_THAT(builder.Build(pool), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no documents")));
}

// Acceptance check 3: an empty document is one.
TEST(UniverseBuilderTest, EmptyDocumentsTeachNothing) {
  EXPECT_EQ(Learn(Layers(2), 10, {{}, {}}).universe.vocab_size(), 10U);
}

// Acceptance check 5: boundary symbols alone teach nothing, and no coordinate of any layer contains one.
TEST(UniverseBuilderTest, NoCoordinateContainsABoundary) {
  UniverseOptions options = Layers(4);
  options.min_count = 1;
  EXPECT_EQ(Learn(options, 10, {{0, 0, 0}}, {0}).universe.layer_count(), 0);
  CounterRng rng(5, "boundary", 0);
  std::vector<Ids> documents;
  for (int d = 0; d < 20; ++d) documents.push_back(RandomIds(rng, 4, 30));
  const Universe universe = Learn(options, 4, documents, {0, 2}).universe;
  EXPECT_GT(universe.layer_count(), 1);
  for (SymbolId id = 4; id < universe.vocab_size(); ++id) {
    Ids base;
    ASSERT_OK(universe.Unfold(Ids{id}, base));
    for (const SymbolId symbol : base) ASSERT_FALSE(universe.IsBoundary(symbol)) << "coordinate " << id;
  }
}

// Acceptance check 8: runs of one symbol. Self-pairs chain, a layer at most halves, decoding is exact.
TEST(UniverseBuilderTest, RunsOfOneSymbolFoldByHalves) {
  for (int layers = 1; layers <= 10; ++layers) {
    for (size_t n = 0; n <= 1030; ++n) {
      const bool at_a_power = std::has_single_bit(n - 1) || std::has_single_bit(n) || std::has_single_bit(n + 1);
      if (n > 140 && n % 11 != 0 && !at_a_power) continue;
      const Universe universe = Learn(Layers(layers), 1, {Ids(n, 0)}).universe;
      const Ids folded = Fold(universe, Ids(n, 0));
      const size_t least = (n + (size_t{1} << layers) - 1) >> layers;
      ASSERT_GE(folded.size(), least) << n << " symbols, " << layers << " layers";
      Ids restored;
      ASSERT_OK(universe.Unfold(folded, restored));
      ASSERT_EQ(restored.size(), n);
      for (int layer = 1; layer <= universe.layer_count(); ++layer) {
        const auto last = static_cast<SymbolId>(layer) - 1;
        ASSERT_EQ(PairsOf(universe, layer), (Pairs{{last, last}})) << n << " symbols";
      }
    }
  }
}

// Acceptance check 9: no layers or no nodes keep the symbols; many layers end when nothing recurs.
TEST(UniverseBuilderTest, EndsWhereNothingIsLeftToLearn) {
  EXPECT_EQ(Learn(Layers(0), 10, {Ids(9, 5)}).universe.vocab_size(), 10U);
  UniverseOptions no_nodes = Layers(2);
  no_nodes.nodes_per_layer = 0;
  EXPECT_EQ(Learn(no_nodes, 10, {Ids(9, 5)}).universe.vocab_size(), 10U);
  const LearnedUniverse learned = Learn(Layers(64), 10, {Ids(100, 5)});
  EXPECT_EQ(learned.universe.layer_count(), 6) << "100 50 25 13 7 4 2: the pair of the last two occurs once";
  EXPECT_EQ(learned.layers.size(), 6U);
}

// Acceptance check 11: neither the order of documents nor the number of threads changes the universe.
TEST(UniverseBuilderTest, OrderOfDocumentsAndThreadsDoNotMatter) {
  for (const PairStrategy strategy : {PairStrategy::kCount, PairStrategy::kPmi}) {
    UniverseOptions options = Layers(4);
    options.nodes_per_layer = 20;
    options.strategy = strategy;
    CounterRng rng(11, "order", 0);
    std::vector<Ids> documents;
    for (int d = 0; d < 200; ++d) documents.push_back(RandomIds(rng, 30, 60));
    const LearnedUniverse want = Learn(options, 30, documents);
    for (const size_t threads : {1U, 2U, 16U}) {
      std::rotate(documents.begin(), documents.begin() + 37, documents.end());
      const LearnedUniverse got = Learn(options, 30, documents, {}, threads);
      EXPECT_EQ(got.universe.content_sha256(), want.universe.content_sha256()) << threads << " threads";
      EXPECT_EQ(got.frequencies, want.frequencies);
      EXPECT_EQ(got.layers, want.layers);
    }
  }
}

// The method word for word, with maps: acceptance check 13, no order but the stated one can leak in.
Universe LearnReference(const UniverseOptions& options, uint32_t base_size, const std::vector<Ids>& documents,
                        const std::vector<Starts>& starts) {
  std::vector<UniverseLayer> layers;
  for (int l = 0; l < options.layers; ++l) {
    const Universe so_far = Universe::Create(base_size, {}, layers).value();
    std::map<std::pair<SymbolId, SymbolId>, uint64_t> counts;
    for (size_t d = 0; d < documents.size(); ++d) {
      const Ids ids = FoldReference(so_far, documents[d], starts[d]);
      size_t position = 0;
      for (size_t t = 0; t + 1 < ids.size(); ++t) {
        position += so_far.Length(ids[t]);
        const bool blocked = options.constraint == JoinRule::kWithinPretoken && starts[d][position] != 0;
        if (!blocked) ++counts[{ids[t], ids[t + 1]}];
      }
    }
    std::vector<std::pair<int64_t, std::pair<SymbolId, SymbolId>>> order;
    for (const auto& [pair, count] : counts) {
      if (static_cast<int64_t>(count) >= options.min_count) order.push_back({-static_cast<int64_t>(count), pair});
    }
    std::sort(order.begin(), order.end());
    if (order.size() > static_cast<size_t>(options.nodes_per_layer)) {
      order.resize(static_cast<size_t>(options.nodes_per_layer));
    }
    if (order.empty()) break;
    layers.push_back({.rule = options.constraint, .pairs = {}});
    for (const auto& [count, pair] : order) layers.back().pairs.push_back({pair.first, pair.second});
  }
  return Universe::Create(base_size, {}, layers).value();
}

TEST(UniverseBuilderTest, AgreesWithTheMethodWordForWord) {
  for (uint64_t round = 0; round < 60; ++round) {
    CounterRng rng(13, "builder_reference", round);
    UniverseOptions options = Layers(1 + static_cast<int>(rng.NextBelow(6)));
    options.nodes_per_layer = 1 + static_cast<int>(rng.NextBelow(8));
    options.min_count = 1 + static_cast<int64_t>(rng.NextBelow(4));
    options.constraint = round % 2 == 0 ? JoinRule::kAny : JoinRule::kWithinPretoken;
    ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(options, 4, {}));
    std::vector<Ids> documents;
    std::vector<Starts> starts;
    for (int d = 0; d < 8; ++d) {
      documents.push_back(RandomIds(rng, 4, 50));
      starts.push_back(RandomStarts(rng, documents.back().size()));
      ASSERT_OK(builder.AddDocument(documents.back(), starts.back()));
    }
    ThreadPool pool(2);
    ASSERT_OK_AND_ASSIGN(const LearnedUniverse learned, builder.Build(pool));
    const Universe want = LearnReference(options, 4, documents, starts);
    ASSERT_EQ(Describe(learned.universe), Describe(want)) << "round " << round;
    ASSERT_EQ(learned.universe.content_sha256(), want.content_sha256());
  }
}

TEST(UniverseBuilderTest, StatisticsDescribeTheBuildDocuments) {
  const LearnedUniverse learned = Learn(Layers(2), 10, {{1, 2, 3, 1, 2}, {1, 2, 0}}, {0});
  ASSERT_EQ(learned.layers.size(), 1U);
  EXPECT_EQ(learned.layers[0], (UniverseLayerStats{.candidates = 1, .symbols_before = 7, .symbols_after = 4}));
  EXPECT_THAT(learned.frequencies, ElementsAre(3));
}

TEST(UniverseBuilderTest, SelectionDocumentsFilterPairs) {
  UniverseOptions options = Layers(1);
  options.selection_min_count = 1;
  ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(options, 10, {}));
  ASSERT_OK(builder.AddDocument(Ids{1, 2, 3, 3, 1, 2, 3, 3}));
  ASSERT_OK(builder.AddSelectionDocument(Ids{5, 1, 2}));
  ThreadPool pool(1);
  ASSERT_OK_AND_ASSIGN(const LearnedUniverse learned, builder.Build(pool));
  EXPECT_EQ(PairsOf(learned.universe, 1), (Pairs{{1, 2}}));
}

TEST(UniverseBuilderTest, SelectionCountZeroIgnoresTheSetAndAHugeOneLeavesNothing) {
  const Ids document = {1, 2, 3, 3, 1, 2, 3, 3};
  for (const int64_t selection_min_count : {int64_t{0}, int64_t{1} << 40}) {
    UniverseOptions options = Layers(2);
    options.selection_min_count = selection_min_count;
    ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(options, 10, {}));
    ASSERT_OK(builder.AddDocument(document));
    ASSERT_OK(builder.AddSelectionDocument(Ids{1, 2}));
    ThreadPool pool(1);
    ASSERT_OK_AND_ASSIGN(const LearnedUniverse learned, builder.Build(pool));
    const bool ignores = selection_min_count == 0;
    EXPECT_EQ(learned.universe.vocab_size(), ignores ? Learn(Layers(2), 10, {document}).universe.vocab_size() : 10U);
  }
}

TEST(UniverseBuilderTest, RarelyFoldedPairsAreReplaced) {
  UniverseOptions options = Layers(1);
  options.nodes_per_layer = 2;
  // (1,2) occurs 6 times, (2,3) 5 times but always behind a 1 that takes the 2, (7,8) twice.
  const std::vector<Ids> documents = {{1, 2, 3}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}, {1, 2}, {7, 8}, {7, 8}};
  EXPECT_EQ(PairsOf(Learn(options, 10, documents).universe, 1), (Pairs{{1, 2}, {2, 3}}));
  options.active_min_count = 2;
  EXPECT_EQ(PairsOf(Learn(options, 10, documents).universe, 1), (Pairs{{1, 2}, {7, 8}}));
}

TEST(UniverseBuilderTest, PmiPrefersPairsThatBelongTogether) {
  // 0 is everywhere, so (0,0) is the most frequent pair but no surprise; 1 2 always come together.
  UniverseOptions options = Layers(1);
  options.nodes_per_layer = 1;
  const std::vector<Ids> documents = {{0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0}};
  EXPECT_EQ(PairsOf(Learn(options, 3, documents).universe, 1), (Pairs{{0, 0}}));
  options.strategy = PairStrategy::kPmi;
  EXPECT_EQ(PairsOf(Learn(options, 3, documents).universe, 1), (Pairs{{1, 2}}));
}

TEST(UniverseBuilderTest, ExpansionsStayWithinTheirLimit) {
  UniverseOptions options = Layers(10);
  options.max_expansion_length = 5;
  const Universe universe = Learn(options, 2, {Ids(64, 1)}).universe;
  for (SymbolId id = 2; id < universe.vocab_size(); ++id) EXPECT_LE(universe.Length(id), 5U);
  EXPECT_GT(universe.layer_count(), 1);
}

TEST(UniverseBuilderTest, SuperwordLayersJoinWholePretokensAndNothingIsLearnedTwice) {
  ASSERT_OK_AND_ASSIGN(UniverseOptions options, UniversePreset("ws"));
  options.layers = 4;
  options.nodes_per_layer = 6;
  options.min_count = 2;
  ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(options, 6, {0}));
  CounterRng rng(21, "superword", 0);
  std::vector<std::pair<Ids, Starts>> documents;
  const std::vector<Ids> words = {{1, 2}, {3, 2, 1}, {4}, {5, 5, 5}};
  for (int d = 0; d < 40; ++d) {
    auto& [ids, starts] = documents.emplace_back();
    for (int w = 0; w < 12; ++w) {
      const Ids& word = words[rng.NextBelow(words.size())];
      ids.insert(ids.end(), word.begin(), word.end());
      starts.push_back(1);
      starts.resize(ids.size(), 0);
    }
    ids.push_back(0);
    starts.push_back(1);
    ASSERT_OK(builder.AddDocument(ids, starts));
  }
  ThreadPool pool(2);
  ASSERT_OK_AND_ASSIGN(const LearnedUniverse learned, builder.Build(pool));
  const Universe& universe = learned.universe;
  EXPECT_EQ(universe.Rule(universe.layer_count()), JoinRule::kWholePretokens);
  std::set<Ids> expansions;
  for (SymbolId id = 0; id < universe.vocab_size(); ++id) {
    Ids base;
    ASSERT_OK(universe.Unfold(Ids{id}, base));
    EXPECT_TRUE(expansions.insert(base).second) << "symbol " << id;
  }
  const auto& [ids, starts] = documents[0];
  ASSERT_OK_AND_ASSIGN(const Ids folded, Folder(universe).Fold(ids, starts));
  EXPECT_EQ(folded, FoldReference(universe, ids, starts));
  EXPECT_LT(folded.size(), 12U) << "fewer symbols than words";
}

TEST(UniverseBuilderTest, BadDocumentsAreRefused) {
  UniverseOptions options;
  options.constraint = JoinRule::kWithinPretoken;
  ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(options, 10, {}));
  EXPECT_THAT(builder.AddDocument(Ids{1, 10}, Starts{1, 0}),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("position 1")));
  EXPECT_THAT(builder.AddDocument(Ids{1, 2}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start flag")));
  EXPECT_THAT(UniverseBuilder::Create({.layers = -1}, 10, {}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(UniverseBuilder::Create({}, 10, {10}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(UniverseBuilderTest, CancellationAndProgressAreHeard) {
  ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(Layers(6), 10, {}));
  ASSERT_OK(builder.AddDocument(Ids(100, 5)));
  ThreadPool pool(1);
  CancellationSource source;
  std::vector<uint64_t> done;
  const auto cancel_after_two = [&](const Progress& progress) {
    EXPECT_EQ(progress.total_units, 6U);
    done.push_back(progress.done_units);
    if (done.size() == 2) source.Cancel();
  };
  EXPECT_THAT(builder.Build(pool, source.token(), cancel_after_two), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(done, ElementsAre(1, 2));
}

struct Document {
  Ids ids;
  Starts starts;
};

// Documents of words that recur, with a start flag at each.
std::vector<Document> RandomDocuments(uint64_t seed, size_t count, uint32_t vocab) {
  CounterRng rng(seed, "documents", vocab);
  std::vector<Document> documents(count);
  for (Document& document : documents) {
    const uint64_t words = rng.NextBelow(30);
    for (uint64_t w = 0; w < words; ++w) {
      CounterRng word(91, "word", rng.NextBelow(rng.NextBelow(2) == 0 ? 20 : 2000));
      const uint64_t length = 1 + word.NextBelow(6);
      for (uint64_t i = 0; i < length; ++i) {
        document.ids.push_back(static_cast<SymbolId>(word.NextBelow(vocab)));
        document.starts.push_back(i == 0 ? 1 : 0);
      }
    }
  }
  return documents;
}

UniverseOptions SmallPreset(absl::string_view name) {
  UniverseOptions options = UniversePreset(name).value();
  options.layers = std::min(options.layers, 10);
  options.nodes_per_layer = std::min(options.nodes_per_layer, 12);
  options.superword_layers = std::min(options.superword_layers, 3);
  options.superword_nodes_per_layer = 8;
  return options;
}

void AddAll(const std::vector<Document>& documents, UniverseBuilder& builder) {
  for (const Document& document : documents) ASSERT_OK(builder.AddDocument(document.ids, document.starts));
  for (size_t d = 0; d < documents.size(); d += 7) {
    ASSERT_OK(builder.AddSelectionDocument(documents[d].ids, documents[d].starts));
  }
}

void ExpectEqual(const LearnedUniverse& got, const LearnedUniverse& want) {
  EXPECT_EQ(got.universe.content_sha256(), want.universe.content_sha256());
  EXPECT_EQ(got.frequencies, want.frequencies);
  EXPECT_EQ(got.layers, want.layers);
  EXPECT_EQ(got.strategy, want.strategy);
}

std::vector<UniverseOptions> ManyOptions() {
  std::vector<UniverseOptions> all = {SmallPreset("pairs"), SmallPreset("w"), SmallPreset("ws")};
  UniverseOptions options = SmallPreset("ws");
  options.selection_min_count = 1;
  options.active_min_count = 3;
  all.push_back(options);
  options = SmallPreset("pairs");
  options.overlap = PairOverlap::kExact;
  options.strategy = PairStrategy::kConditional;
  all.push_back(options);
  for (const char* preset : {"pairs", "ws"}) {
    options = SmallPreset(preset);
    options.strategy = PairStrategy::kAuto;
    all.push_back(options);
  }
  return all;
}

// Acceptance check 12: a limit far below what the documents need gives the same universe, and scratch files are gone.
TEST(UniverseBuilderTest, AMemoryLimitChangesNothing) {
  const ::clm::testing::TemporaryDirectory folder(::clm::testing::MemoryFolder());
  const std::vector<Document> documents = RandomDocuments(1, 3000, 700);
  const std::vector<UniverseOptions> all = ManyOptions();
  // One of each kind of counting: everywhere, inside pretokens and then of whole ones, exact and conditional,
  // automatic.
  for (const UniverseOptions& options : {all[0], all[3], all[4], all[6]}) {
    ThreadPool pool(2);
    ASSERT_OK_AND_ASSIGN(UniverseBuilder unlimited, UniverseBuilder::Create(options, 700, {}));
    AddAll(documents, unlimited);
    ASSERT_OK_AND_ASSIGN(const LearnedUniverse want, unlimited.Build(pool));
    ASSERT_OK_AND_ASSIGN(UniverseBuilder limited, UniverseBuilder::Create(options, 700, {},
                                                                          {.memory_limit_bytes = 1 << 20,
                                                                           .files = &PosixFileSystem(),
                                                                           .scratch_folder = folder.path()}));
    AddAll(documents, limited);
    const bool keeps_all = options.superword_layers > 0 || options.constraint == JoinRule::kAny;
    EXPECT_TRUE(!keeps_all || !PosixFileSystem().List(folder.path())->empty()) << "a limit too high to test anything";
    ASSERT_OK_AND_ASSIGN(const LearnedUniverse got, limited.Build(pool));
    ExpectEqual(got, want);
    EXPECT_TRUE(PosixFileSystem().List(folder.path())->empty());
  }
}

// Acceptance check 26: killed after any layer, the next run ends with the same universe, and does not learn again what
// was finished.
TEST(UniverseBuilderTest, AnInterruptedBuildGoesOnBehindTheLastLayer) {
  const std::vector<Document> documents = RandomDocuments(2, 200, 40);
  for (const UniverseOptions& options : ManyOptions()) {
    ThreadPool pool(1);
    ASSERT_OK_AND_ASSIGN(UniverseBuilder whole, UniverseBuilder::Create(options, 40, {}));
    AddAll(documents, whole);
    ASSERT_OK_AND_ASSIGN(const LearnedUniverse want, whole.Build(pool));
    const ::clm::testing::TemporaryDirectory folder(::clm::testing::MemoryFolder());
    const UniverseRunOptions run = {.files = &PosixFileSystem(), .state_path = folder.File("state")};
    uint64_t reports = 0;
    for (bool done = false; !done;) {
      ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(options, 40, {}, run));
      AddAll(documents, builder);
      CancellationSource source;
      uint64_t seen = 0;
      const auto cancel_later = [&](const Progress&) {
        if (++seen > reports + 3) source.Cancel();
      };
      const absl::StatusOr<LearnedUniverse> got = builder.Build(pool, source.token(), cancel_later);
      reports += 4;
      done = got.ok();
      if (done) {
        ExpectEqual(*got, want);
      } else {
        ASSERT_THAT(got, StatusIs(absl::StatusCode::kCancelled));
        EXPECT_FALSE(PosixFileSystem().List(folder.path())->empty());
      }
    }
    EXPECT_TRUE(PosixFileSystem().List(folder.path())->empty()) << "the state is removed at the end";
  }
}

TEST(UniverseBuilderTest, AStateOfOtherDocumentsIsNotUsed) {
  const ::clm::testing::TemporaryDirectory folder(::clm::testing::MemoryFolder());
  const UniverseRunOptions run = {.files = &PosixFileSystem(), .state_path = folder.File("state")};
  ThreadPool pool(1);
  CancellationSource source;
  ASSERT_OK_AND_ASSIGN(UniverseBuilder first, UniverseBuilder::Create(Layers(5), 10, {}, run));
  ASSERT_OK(first.AddDocument(Ids(100, 5)));
  EXPECT_FALSE(first.Build(pool, source.token(), [&](const Progress&) { source.Cancel(); }).ok());
  ASSERT_OK_AND_ASSIGN(UniverseBuilder second, UniverseBuilder::Create(Layers(5), 10, {}, run));
  ASSERT_OK(second.AddDocument(Ids(100, 6)));
  ASSERT_OK_AND_ASSIGN(const LearnedUniverse learned, second.Build(pool));
  EXPECT_EQ(PairsOf(learned.universe, 1), (Pairs{{6, 6}}));
}

// Acceptance check 39 in small: auto is never worse than any of the strategies by its own measure, and says which it
// took.
TEST(UniverseBuilderTest, AutoIsOneOfTheStrategies) {
  const std::vector<Document> documents = RandomDocuments(5, 400, 60);
  for (const char* preset : {"pairs", "w", "ws"}) {
    UniverseOptions options = SmallPreset(preset);
    options.strategy = PairStrategy::kAuto;
    ThreadPool pool(2);
    ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(options, 60, {}));
    AddAll(documents, builder);
    ASSERT_OK_AND_ASSIGN(const LearnedUniverse chosen, builder.Build(pool));
    ASSERT_NE(chosen.strategy, PairStrategy::kAuto);
    options.strategy = chosen.strategy;
    ASSERT_OK_AND_ASSIGN(UniverseBuilder direct, UniverseBuilder::Create(options, 60, {}));
    AddAll(documents, direct);
    ASSERT_OK_AND_ASSIGN(const LearnedUniverse want, direct.Build(pool));
    ExpectEqual(chosen, want);
  }
}

TEST(UniverseBuilderTest, AutoNeedsSelectionDocuments) {
  UniverseOptions options = Layers(1);
  options.strategy = PairStrategy::kAuto;
  EXPECT_TRUE(options.needs_selection());
  ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(options, 10, {}));
  ASSERT_OK(builder.AddDocument(Ids{1, 2, 1, 2}));
  ThreadPool pool(1);
  EXPECT_THAT(builder.Build(pool), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("selection documents")));
}

// An extension keeps layers, ids and statistics, and learns on what the old layers left of the new documents.
TEST(UniverseBuilderTest, AnExtensionAppendsLayersAndChangesNoneOfTheOld) {
  for (const char* preset : {"pairs", "w", "ws"}) {
    const UniverseOptions options = SmallPreset(preset);
    ThreadPool pool(2);
    ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(options, 50, {7}));
    AddAll(RandomDocuments(3, 100, 50), builder);
    ASSERT_OK_AND_ASSIGN(const LearnedUniverse old, builder.Build(pool));
    const std::vector<Document> others = RandomDocuments(4, 300, 50);
    UniverseOptions more = SmallPreset("pairs");
    more.layers = 3;
    ASSERT_OK_AND_ASSIGN(UniverseBuilder extension, UniverseBuilder::CreateExtension(more, old));
    AddAll(others, extension);
    ASSERT_OK_AND_ASSIGN(const LearnedUniverse extended, extension.Build(pool));
    ASSERT_EQ(extended.universe.layer_count(), old.universe.layer_count() + 3);
    for (int layer = 1; layer <= old.universe.layer_count(); ++layer) {
      EXPECT_EQ(PairsOf(extended.universe, layer), PairsOf(old.universe, layer));
      EXPECT_EQ(extended.universe.Rule(layer), old.universe.Rule(layer));
    }
    EXPECT_TRUE(std::equal(old.frequencies.begin(), old.frequencies.end(), extended.frequencies.begin()));
    EXPECT_TRUE(std::equal(old.layers.begin(), old.layers.end(), extended.layers.begin()));
    // The first new layer is what learning on the folded documents gives.
    UniverseOptions one = more;
    one.layers = 1;
    std::vector<Ids> folded;
    for (const Document& document : others) {
      ASSERT_OK_AND_ASSIGN(folded.emplace_back(), Folder(old.universe).Fold(document.ids, document.starts));
    }
    const LearnedUniverse fresh = Learn(one, old.universe.vocab_size(), folded, {7});
    std::set<std::pair<SymbolId, SymbolId>> known;
    for (SymbolId id = 50; id < old.universe.vocab_size(); ++id) {
      known.insert({old.universe.Children(id).left, old.universe.Children(id).right});
    }
    Pairs want = PairsOf(fresh.universe, 1);
    std::erase_if(want, [&](const SymbolPair& pair) { return known.contains({pair.left, pair.right}); });
    Pairs got = PairsOf(extended.universe, old.universe.layer_count() + 1);
    got.resize(std::min(got.size(), want.size()));
    EXPECT_EQ(got, want);
  }
}

TEST(UniverseBuilderTest, AnExtensionStaysWithinTheLimitOfLayers) {
  const LearnedUniverse old = Learn(Layers(3), 10, {Ids(100, 5)});
  UniverseOptions options = Layers(253);
  EXPECT_THAT(UniverseBuilder::CreateExtension(options, old),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("256")));
}

TEST(UniverseBuilderTest, BadRunOptionsAreRefused) {
  EXPECT_THAT(UniverseBuilder::Create({}, 10, {}, {.memory_limit_bytes = 1000, .files = &PosixFileSystem()}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1000")));
  EXPECT_THAT(UniverseBuilder::Create({}, 10, {}, {.memory_limit_bytes = 1 << 20}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("files")));
  EXPECT_THAT(UniverseBuilder::Create({}, 10, {}, {.memory_limit_bytes = 1 << 20, .files = &PosixFileSystem()}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("scratch_folder")));
  EXPECT_THAT(UniverseBuilder::Create({}, 10, {}, {.state_path = "x"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("files")));
}

}  // namespace
}  // namespace clm
