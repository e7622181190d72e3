// What every registered representation promises, tested on every one of them. A new row in
// core/representation/registry.cc is picked up by itself; kinds that need a universe are tested with one of each join
// rule.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/representation/registry.h"
#include "core/representation/representation.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/representation/representation_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::SmallCorpus;
using ::clm::testing::SmallTables;
using ::clm::testing::SmallTokenizer;
using ::clm::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct RepresentationCase {
  std::string name;  // of the test
  std::string kind;
  std::string preset;  // of the universe
};

std::vector<RepresentationCase> AllCases() {
  std::vector<RepresentationCase> cases;
  for (const RepresentationKind& kind : RepresentationKinds()) {
    const std::string name(kind.name.data(), kind.name.size());
    if (!kind.needs_universe) {
      cases.push_back({.name = name, .kind = name, .preset = "pairs"});
      continue;
    }
    for (const char* preset : {"pairs", "w", "ws"}) {
      cases.push_back({.name = name + "_" + preset, .kind = name, .preset = preset});
    }
  }
  return cases;
}

std::string RandomBytes(CounterRng& rng, uint64_t max_length, uint64_t alphabet) {
  std::string bytes(rng.NextBelow(max_length + 1), '\0');
  for (char& byte : bytes) byte = static_cast<char>(rng.NextBelow(alphabet) + (alphabet < 256 ? 'a' : 0));
  return bytes;
}

// Documents that have broken encoders before: acceptance checks 3, 6 and 7.
std::vector<std::pair<std::string, std::string>> HardDocuments() {
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes.push_back(static_cast<char>(byte));
  return {{"empty", ""},
          {"every byte value", all_bytes},
          {"every byte value, twice and backwards", all_bytes + std::string(all_bytes.rbegin(), all_bytes.rend())},
          {"lone 0xFF", "\xFF"},
          {"0xFF in text", "the \xFF text"},
          {"truncated UTF-8", "Привет, ми\xD1"},
          {"truncated four-byte character", "text \xF0\x9F\x98"},
          {"continuation byte first", "\x80 text"},
          {"overlong slash", "the \xC0\xAF text"},
          {"overlong NUL", "\xE0\x80\x80"},
          {"surrogate", "\xED\xA0\x80"},
          {"beyond Unicode", "\xF4\x90\x80\x80"},
          {"NUL", std::string("the\0text", 8)},
          {"only NUL", std::string(3, '\0')},
          {"CRLF", "the text\r\nand the text\r\n\r\n"},
          {"lone CR and mixed ends", "a\rb\nc\r\nd"},
          {"BOM", "\xEF\xBB\xBFThe text"},
          {"spaces", "  the   text    again     "},
          {"only spaces", std::string(1000, ' ')},
          {"tabs and newlines", "\t\t\n \n\t the"},
          {"no-break space", "the\xC2\xA0text"},
          {"name of the special", "<|endoftext|>"},
          {"name of the special in text", "the text<|endoftext|>and the text <|endoftext|> again"},
          {"half of the name", "<|endoftext|"},
          {"contractions", "we'd they'll it's I'm 'tis 'S"},
          {"astral letters", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👩‍👩‍👧 e\xCC\x81"}};
}

class LosslessRepresentationTest : public ::testing::TestWithParam<RepresentationCase> {
 protected:
  // Tables are learned once per preset.
  void SetUp() override {
    static auto& cache = *new std::map<std::string, RepresentationTables>();
    const auto [entry, is_new] = cache.try_emplace(GetParam().preset);
    if (is_new) entry->second = SmallTables(GetParam().preset);
    ASSERT_OK_AND_ASSIGN(representation_, MakeRepresentation(GetParam().kind, entry->second));
    ASSERT_TRUE(representation_->lossless());
  }

  const Representation& representation() const { return *representation_; }

  std::vector<SymbolId> Encode(absl::string_view document) const {
    auto symbols = representation_->Encode(document);
    CLM_CHECK(symbols.ok());
    return *std::move(symbols);
  }

  // Text with coordinates of every layer in it, and with what is hard to cut.
  static std::string TrickyText() {
    return SmallCorpus()[2] + "Приве\xD1 <|endoftext|> 'll   \r\n\xFF" + SmallCorpus()[5];
  }

 private:
  std::unique_ptr<Representation> representation_;
};

TEST_P(LosslessRepresentationTest, HardDocumentsComeBack) {
  for (const auto& [name, document] : HardDocuments()) {
    const std::vector<SymbolId> symbols = Encode(document);
    EXPECT_THAT(symbols, ::testing::Not(::testing::Contains(representation().layout().boundary))) << name;
    ASSERT_OK_AND_ASSIGN(const std::string restored, representation().Decode(symbols));
    EXPECT_EQ(restored, document) << name;
  }
}

TEST_P(LosslessRepresentationTest, RandomBytesComeBack) {
  for (uint64_t round = 0; round < 600; ++round) {
    CounterRng rng(31, "registry_bytes", round);
    const std::string document = RandomBytes(rng, 200, round % 2 == 0 ? 256 : 3);
    ASSERT_OK_AND_ASSIGN(const std::string restored, representation().Decode(Encode(document)));
    ASSERT_EQ(restored, document) << "round " << round;
  }
}

TEST_P(LosslessRepresentationTest, SpoiledTextComesBack) {
  for (uint64_t round = 0; round < 300; ++round) {
    CounterRng rng(32, "registry_spoiled", round);
    std::string document = SmallCorpus()[round % 24];
    for (int i = 0; i < 5; ++i) document[rng.NextBelow(document.size())] = static_cast<char>(rng.NextBelow(256));
    ASSERT_OK_AND_ASSIGN(const std::string restored, representation().Decode(Encode(document)));
    ASSERT_EQ(restored, document) << "round " << round;
  }
}

TEST_P(LosslessRepresentationTest, AMegabyteOfOneByteComesBack) {
  const std::string document(1'000'000, 'a');
  ASSERT_OK_AND_ASSIGN(const std::string restored, representation().Decode(Encode(document)));
  EXPECT_EQ(restored, document);
  for (const char byte : {'\0', '\xFF', ' ', '\n'}) {
    const std::string shorter(20'000, byte);
    EXPECT_EQ(representation().Decode(Encode(shorter)).value(), shorter) << "byte " << static_cast<int>(byte);
  }
}

TEST_P(LosslessRepresentationTest, NothingIsNoSymbolAndNoByte) {
  EXPECT_THAT(Encode(""), IsEmpty());
  EXPECT_EQ(representation().Decode({}).value(), "");
  std::vector<SymbolId> symbols;
  ASSERT_OK(representation().NewEncoder()->Finish(symbols));
  EXPECT_THAT(symbols, IsEmpty());
}

TEST_P(LosslessRepresentationTest, EncodingInPiecesGivesTheSameSymbolsForEveryCut) {
  const std::string document = TrickyText();
  const std::vector<SymbolId> want = Encode(document);
  const auto encoder = representation().NewEncoder();  // one for all: Finish() must leave it as new
  for (size_t cut = 0; cut <= document.size(); ++cut) {
    std::vector<SymbolId> got;
    ASSERT_OK(encoder->Push(absl::string_view(document).substr(0, cut), got));
    ASSERT_OK(encoder->Push(absl::string_view(document).substr(cut), got));
    ASSERT_OK(encoder->Finish(got));
    ASSERT_EQ(got, want) << "cut " << cut;
  }
}

TEST_P(LosslessRepresentationTest, EncodingByteByByteGivesTheSameSymbols) {
  for (const auto& [name, document] : HardDocuments()) {
    const auto encoder = representation().NewEncoder();
    std::vector<SymbolId> got;
    for (const char& byte : document) ASSERT_OK(encoder->Push(absl::string_view(&byte, 1), got));
    ASSERT_OK(encoder->Finish(got));
    ASSERT_EQ(got, Encode(document)) << name;
  }
}

TEST_P(LosslessRepresentationTest, DecodingInPiecesGivesTheSameBytesForEveryCut) {
  const std::string document = TrickyText();
  const std::vector<SymbolId> symbols = Encode(document);
  const auto decoder = representation().NewDecoder();
  for (size_t cut = 0; cut <= symbols.size(); ++cut) {
    std::string got;
    ASSERT_OK(decoder->Push(std::span(symbols).first(cut), got));
    ASSERT_OK(decoder->Push(std::span(symbols).subspan(cut), got));
    ASSERT_OK(decoder->Finish(got));
    ASSERT_EQ(got, document) << "cut " << cut;
  }
}

TEST_P(LosslessRepresentationTest, TruncatedSymbolsDecodeToAPrefix) {
  const std::string document = TrickyText();
  const std::vector<SymbolId> symbols = Encode(document);
  size_t last = 0;
  for (size_t length = 0; length <= symbols.size(); ++length) {
    ASSERT_OK_AND_ASSIGN(const std::string got, representation().Decode(std::span(symbols).first(length)));
    ASSERT_EQ(got, document.substr(0, got.size())) << length << " symbols";
    ASSERT_GE(got.size(), last);
    last = got.size();
  }
  EXPECT_EQ(last, document.size());
}

TEST_P(LosslessRepresentationTest, SymbolBytesAddUpToTheDocument) {
  const std::string document = TrickyText();
  std::string joined;
  for (const SymbolId symbol : Encode(document)) {
    ASSERT_LT(symbol, representation().layout().vocab_size);
    const absl::string_view bytes = representation().SymbolBytes(symbol);
    joined.append(bytes.data(), bytes.size());
  }
  EXPECT_EQ(joined, document);
}

// Acceptance check 19: an unknown id is an error that names id, position and vocabulary size.
TEST_P(LosslessRepresentationTest, UnknownIdsAreRefusedWithTheirPosition) {
  const uint32_t vocab_size = representation().layout().vocab_size;
  for (const SymbolId unknown : {vocab_size, vocab_size + 1, SymbolId{0x7FFFFFFF}, SymbolId{0xFFFFFFFF}}) {
    std::vector<SymbolId> symbols = Encode("the text");
    const size_t position = symbols.size();
    symbols.push_back(unknown);
    const auto refused =
        StatusIs(absl::StatusCode::kOutOfRange,
                 AllOf(HasSubstr("symbol " + std::to_string(unknown)),
                       HasSubstr("position " + std::to_string(position)), HasSubstr(std::to_string(vocab_size))));
    EXPECT_THAT(representation().Decode(symbols), refused);
    const auto decoder = representation().NewDecoder();
    std::string out;
    ASSERT_OK(decoder->Push(std::span(symbols).first(position), out));
    EXPECT_THAT(decoder->Push(std::span(symbols).subspan(position), out), refused);
    EXPECT_EQ(out, "the text");
  }
}

TEST_P(LosslessRepresentationTest, TheBoundaryHasNoBytes) {
  const SymbolId boundary = representation().layout().boundary;
  EXPECT_EQ(representation().SymbolBytes(boundary), "");
  std::vector<SymbolId> symbols = Encode("the text");
  symbols.push_back(boundary);
  symbols.insert(symbols.begin(), boundary);
  EXPECT_EQ(representation().Decode(symbols).value(), "the text");
}

TEST_P(LosslessRepresentationTest, EveryDocumentDecodesBesideItsNeighbours) {
  std::vector<SymbolId> stream;
  std::string want;
  for (const std::string& document : SmallCorpus()) {
    const std::vector<SymbolId> symbols = Encode(document);
    stream.insert(stream.end(), symbols.begin(), symbols.end());
    stream.push_back(representation().layout().boundary);
    want += document;
  }
  EXPECT_EQ(representation().Decode(stream).value(), want);
}

TEST_P(LosslessRepresentationTest, LayoutIsValid) {
  EXPECT_OK(representation().layout().Validate());
  EXPECT_EQ(representation().kind(), GetParam().kind);
}

TEST_P(LosslessRepresentationTest, FingerprintFollowsTheTables) {
  const std::string fingerprint = representation().fingerprint();
  EXPECT_THAT(fingerprint, SizeIs(64));
  EXPECT_EQ(MakeRepresentation(GetParam().kind, SmallTables(GetParam().preset)).value()->fingerprint(), fingerprint);
  const RepresentationKind& kind = *FindRepresentationKind(GetParam().kind).value();
  if (kind.needs_tokenizer) {
    const auto tokenizer = SmallTokenizer(319);
    RepresentationTables tables = {.tokenizer = tokenizer,
                                   .universe = testing::SmallUniverse(*tokenizer, {}),
                                   .universe_tokenizer = tokenizer->fingerprint()};
    EXPECT_NE(MakeRepresentation(GetParam().kind, tables).value()->fingerprint(), fingerprint);
  }
  if (kind.needs_universe) {
    RepresentationTables tables = SmallTables(GetParam().preset);
    tables.universe = testing::SmallUniverse(*tables.tokenizer, {.layers = 1, .nodes_per_layer = 5});
    EXPECT_NE(MakeRepresentation(GetParam().kind, tables).value()->fingerprint(), fingerprint);
  }
}

INSTANTIATE_TEST_SUITE_P(Registered, LosslessRepresentationTest, ::testing::ValuesIn(AllCases()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace clm
