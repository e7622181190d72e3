// What a user does, from documents to a comparison, through the real programs.
#include <string>

#include "core/base/digest.h"
#include "gmock/gmock.h"
#include "tests/integration/server_fixture.h"

namespace clm::testing {
namespace {

using ::testing::AnyOf;
using std::string_literals::operator""s;

class EndToEndTest : public IntegrationTest {
 protected:
  void SetUp() override { ASSERT_TRUE(StartServer()); }

  void ExpectExact(const std::string& kind, const std::string& artifact, const std::string& text) {
    v1::RepresentationRef ref;
    ref.set_kind(kind);
    ref.set_artifact(artifact);
    const EncodeAnswer encoded = Encode(*compression_, ref, text);
    ASSERT_TRUE(encoded.status.ok()) << kind << ": " << encoded.status.error_message();
    EXPECT_EQ(encoded.summary.original_bytes(), text.size()) << kind;
    EXPECT_EQ(encoded.summary.symbols() * encoded.header.width_bytes(), encoded.symbols.size()) << kind;
    const DecodeAnswer decoded = Decode(*compression_, ref, encoded);
    ASSERT_TRUE(decoded.status.ok()) << kind << ": " << decoded.status.error_message();
    EXPECT_EQ(decoded.data, text) << kind;
    EXPECT_EQ(decoded.summary.sha256(), Sha256Hex(text)) << kind;
  }

  v1::EvaluateResult Evaluate(const std::string& checkpoint) {
    v1::SubmitJobRequest request;
    request.mutable_spec()->mutable_evaluate()->set_checkpoint(checkpoint);
    request.mutable_spec()->mutable_evaluate()->set_bootstrap_resamples(100);
    request.mutable_spec()->mutable_evaluate()->set_device("cpu");
    return Run(request).result().evaluate();
  }
};

TEST_F(EndToEndTest, PreparedRepresentationsAreExact) {
  const v1::PrepareResult prepared = Prepare();
  EXPECT_TRUE(prepared.round_trip_proven());
  EXPECT_EQ(prepared.bad_lines(), 0u);
  const std::string odd = "The caf\u00e9 again.\r\n\xff\xfe\x00 bytes that are no text \xc3"s + MakeCorpus(400);
  ExpectExact("byte", "", odd);
  ExpectExact("token", prepared.tokenizer(), odd);
  ExpectExact("token", prepared.corpus(), odd);
  ExpectExact("coordinate", prepared.universe(), odd);
  ExpectExact("coordinate", prepared.corpus(), "");
}

TEST_F(EndToEndTest, FrameDecodesToTheSameBytes) {
  const std::string text = MakeCorpus(1500);
  const CompressAnswer compressed = Compress(*compression_, text, /*block_size_bytes=*/65536);
  ASSERT_TRUE(compressed.status.ok()) << compressed.status.error_message();
  EXPECT_EQ(compressed.summary.original_bytes(), text.size());
  EXPECT_EQ(compressed.summary.frame_bytes(), compressed.frame.size());
  EXPECT_EQ(compressed.summary.verified_blocks(), compressed.summary.blocks());
  EXPECT_EQ(compressed.summary.sha256(), Sha256Hex(text));
  EXPECT_LT(compressed.summary.bits_per_byte(), 4);
  const DecompressAnswer decompressed = Decompress(*compression_, compressed.frame);
  ASSERT_TRUE(decompressed.status.ok()) << decompressed.status.error_message();
  EXPECT_TRUE(decompressed.data == text);
  EXPECT_EQ(decompressed.summary.sha256(), Sha256Hex(text));
  EXPECT_TRUE(decompressed.summary.sha256_verified());
}

TEST_F(EndToEndTest, StagesLeadFromTextToFileAndBack) {
  const std::string text = MakeCorpus(40) + "\xff\x00 no text"s;
  std::string data = text;
  for (const char* stage : {"tokensOfStr", "modelToInx", "rangeEncode", "binOfRange", "binToRange", "rangeDecode",
                            "modelOfInx", "tokensToStr"}) {
    v1::TraceRequest::Start start;
    start.mutable_stage()->set_name(stage);
    const TraceAnswer answer = Trace(*compression_, start, data);
    ASSERT_TRUE(answer.status.ok()) << stage << ": " << answer.status.error_message();
    EXPECT_EQ(answer.summary.output_bytes(), answer.data.size());
    data = answer.data;
  }
  EXPECT_TRUE(data == text);
}

TEST_F(EndToEndTest, ATraceTellsWhatTheTextCosts) {
  const std::string text = MakeCorpus(40);
  v1::TraceRequest::Start start;
  start.mutable_report();
  const TraceAnswer answer = Trace(*compression_, start, text);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.rows.size(), text.size());
  EXPECT_EQ(answer.summary.statistics().original_bytes(), text.size());
  EXPECT_LT(answer.summary.statistics().probability_bytes(), answer.summary.statistics().rank_adaptive_bytes());
}

TEST_F(EndToEndTest, TrainedModelsAreMeasuredComparedAndGenerate) {
  if (!HasTorch()) GTEST_SKIP() << "the server was built without LibTorch";
  const v1::PrepareResult prepared = Prepare();
  const v1::TrainResult token = Run(TrainRequest(prepared.corpus(), "token", 16)).result().train();
  const v1::TrainResult coordinate = Run(TrainRequest(prepared.corpus(), "coordinate", 16)).result().train();
  EXPECT_EQ(token.steps(), 16u);
  EXPECT_NE(token.checkpoint(), coordinate.checkpoint());
  const v1::EvaluateResult baseline = Evaluate(token.checkpoint());
  const v1::EvaluateResult candidate = Evaluate(coordinate.checkpoint());
  EXPECT_GT(baseline.bits_per_byte().value(), 0);
  EXPECT_LE(baseline.bits_per_byte().low(), baseline.bits_per_byte().value());
  EXPECT_EQ(baseline.original_bytes(), candidate.original_bytes());
  EXPECT_GT(baseline.symbols(), candidate.symbols()) << "coordinates fold several tokens into one symbol";

  v1::CompareRequest compare;
  compare.set_baseline(baseline.report());
  compare.set_candidate(candidate.report());
  v1::CompareResponse comparison;
  const grpc::Status compared = Unary(*compression_, &v1::CompressionService::Stub::Compare, compare, comparison);
  ASSERT_TRUE(compared.ok()) << compared.error_message();
  EXPECT_NEAR(comparison.delta_bits_per_byte().value(),
              candidate.bits_per_byte().value() - baseline.bits_per_byte().value(), 1e-9);
  EXPECT_LT(comparison.symbols_ratio(), 1);
  EXPECT_THAT(comparison.verdict(), AnyOf("better", "worse", "undecided"));

  for (const std::string& checkpoint : {token.checkpoint(), coordinate.checkpoint()}) {
    v1::GenerateRequest request;
    request.set_checkpoint(checkpoint);
    request.set_prompt("Document 7: the river");
    request.set_temperature(0);
    request.set_max_new_bytes(48);
    request.set_ignore_boundary(true);
    const GenerateAnswer first = Generate(*compression_, request);
    ASSERT_TRUE(first.status.ok()) << first.status.error_message();
    EXPECT_EQ(first.summary.new_bytes(), first.text.size());
    EXPECT_NE(first.text, "");
    EXPECT_EQ(Generate(*compression_, request).text, first.text);
  }
}

}  // namespace
}  // namespace clm::testing
