#include "server/convert/pipeline_operations.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/base/clock.h"
#include "core/codec/frame.h"
#include "core/pipeline/prepare.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/core/pipeline/engine_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;

// `text` in pieces of `piece` bytes.
ByteSource Source(const std::string& text, size_t piece = 7) {
  return [text, piece, at = size_t{0}](std::string& out) mutable -> absl::StatusOr<bool> {
    out = text.substr(std::min(at, text.size()), piece);
    at += out.size();
    return !out.empty();
  };
}
ByteSink Into(std::string& target) {
  return [&target](absl::string_view data) {
    target.append(data.data(), data.size());
    return absl::OkStatus();
  };
}

class PipelineOperationsTest : public PipelineTest {
 protected:
  static constexpr uint64_t kMaxUploadBytes = 1'000'000;
  PipelineOperationsTest() {
    v1::ServerConfig config;
    config.set_threads(2);
    config.set_device("cpu");
    config.set_max_upload_bytes(kMaxUploadBytes);
    auto operations = MakePipelineOperations(config, *store_, metrics_);
    EXPECT_TRUE(operations.ok()) << operations.status();
    operations_ = *std::move(operations);
  }

  absl::StatusOr<std::vector<SymbolId>> Encode(const v1::RepresentationRef& ref, const std::string& text) {
    std::vector<SymbolId> all;
    const absl::Status status = operations_->Encode(
        ref, Source(text), [](const RepresentationInfo&) { return absl::OkStatus(); },
        [&all](std::span<const SymbolId> symbols) {
          all.insert(all.end(), symbols.begin(), symbols.end());
          return absl::OkStatus();
        },
        {});
    if (!status.ok()) return status;
    return all;
  }

  absl::StatusOr<std::string> Decode(const v1::RepresentationRef& ref, const std::vector<SymbolId>& symbols,
                                     const std::string& fingerprint = "") {
    std::string text;
    bool given = false;
    const auto outcome = operations_->Decode(ref, fingerprint,
                                             [&](std::vector<SymbolId>& out) -> absl::StatusOr<bool> {
                                               out = given ? std::vector<SymbolId>() : symbols;
                                               return !std::exchange(given, true);
                                             },
                                             Into(text), {});
    if (!outcome.ok()) return outcome.status();
    return text;
  }

  Metrics metrics_;
  std::unique_ptr<Operations> operations_;
};

TEST_F(PipelineOperationsTest, BytesNeedNoArtifact) {
  v1::RepresentationRef ref;
  ref.set_kind("byte");
  ASSERT_OK_AND_ASSIGN(const std::vector<SymbolId> symbols, Encode(ref, "hi\xff"));
  EXPECT_EQ(symbols, (std::vector<SymbolId>{'h', 'i', 0xff}));
  ASSERT_OK_AND_ASSIGN(const std::string text, Decode(ref, symbols));
  EXPECT_EQ(text, "hi\xff");
  ref.set_kind("token");
  EXPECT_THAT(Encode(ref, "x"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("artifact")));
}

TEST_F(PipelineOperationsTest, CoordinatesOfACorpusComeBack) {
  PrepareOptions options;
  options.inputs = {WriteInput("corpus.jsonl", Sentences())};
  options.vocab_size = 300;
  options.universe.nodes_per_layer = 20;
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome prepared, RunPrepare(options, Context()));
  v1::RepresentationRef ref;
  ref.set_kind("coordinate");
  ref.set_artifact(prepared.corpus.Name());
  const std::string text = "the old sailor describes the river";
  ASSERT_OK_AND_ASSIGN(const std::vector<SymbolId> symbols, Encode(ref, text));
  EXPECT_LT(symbols.size(), text.size());
  ASSERT_OK_AND_ASSIGN(const std::string restored, Decode(ref, symbols));
  EXPECT_EQ(restored, text);
  EXPECT_THAT(Decode(ref, symbols, std::string(64, '0')), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Decode(ref, {4'000'000}), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("4000000")));
}

TEST_F(PipelineOperationsTest, AFrameComesBackWithItsDigest) {
  const std::string text = Sentences();
  v1::CompressRequest::Start start;
  start.set_compare(true);
  std::string frame;
  ASSERT_OK_AND_ASSIGN(const v1::CompressResponse::Summary summary,
                       operations_->Compress(start, Source(text, 1000), Into(frame), {}));
  EXPECT_EQ(summary.frame_bytes(), frame.size());
  EXPECT_EQ(summary.verified_blocks(), summary.blocks());
  EXPECT_EQ(summary.baselines_size(), 3);
  std::string restored;
  ASSERT_OK_AND_ASSIGN(const v1::DecompressResponse::Summary back,
                       operations_->Decompress({}, Source(frame, 1000), Into(restored), {}));
  EXPECT_EQ(restored, text);
  EXPECT_TRUE(back.sha256_verified());
  EXPECT_EQ(back.sha256(), summary.sha256());
  frame[frame.size() / 2] ^= 1;
  EXPECT_THAT(operations_->Decompress({}, Source(frame, 1000), Into(restored), {}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block 0")));
}

TEST_F(PipelineOperationsTest, ALengthThatIsToldStandsInTheHeader) {
  const std::string text = Sentences();
  v1::CompressRequest::Start start;
  start.set_original_bytes(text.size());
  std::string frame;
  ASSERT_OK(operations_->Compress(start, Source(text), Into(frame), {}).status());
  ASSERT_OK_AND_ASSIGN(const FrameHeader header, ParseFrameHeader(frame));
  EXPECT_EQ(header.original_bytes, text.size());
  for (const uint64_t wrong : {text.size() - 1, text.size() + 1}) {
    start.set_original_bytes(wrong);
    EXPECT_THAT(operations_->Compress(start, Source(text), Into(frame), {}).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("original_bytes")));
  }
}

TEST_F(PipelineOperationsTest, SalvageGivesTheIntactBlocksAndSaysWhatIsMissing) {
  std::string text;
  while (text.size() < 20'000) text += Sentences();
  text.resize(20'000);
  v1::CompressRequest::Start start;
  start.set_codec(v1::CODEC_COUNT);
  start.set_block_size_bytes(4096);
  std::string frame;
  ASSERT_OK(operations_->Compress(start, Source(text, 1000), Into(frame), {}));
  v1::DecompressRequest::Start salvage;
  salvage.set_salvage(true);
  std::string restored;
  ASSERT_OK_AND_ASSIGN(const v1::DecompressResponse::Summary whole,
                       operations_->Decompress(salvage, Source(frame, 1000), Into(restored), {}));
  EXPECT_EQ(restored, text);
  EXPECT_TRUE(whole.sha256_verified());
  EXPECT_EQ(whole.salvage().intact_blocks(), 5U);
  EXPECT_EQ(whole.salvage().missing_ranges(), 0U);

  frame[100] ^= 1;  // in the first block
  frame.resize(frame.size() - 200);
  restored.clear();
  ASSERT_OK_AND_ASSIGN(const v1::DecompressResponse::Summary part,
                       operations_->Decompress(salvage, Source(frame, 1000), Into(restored), {}));
  EXPECT_EQ(restored, std::string(4096, '\0') + text.substr(4096, 3 * 4096));
  EXPECT_FALSE(part.sha256_verified());
  EXPECT_EQ(part.salvage().lost_blocks(), 1U);  // the last one is lost with the length that would tell of it
  ASSERT_EQ(part.salvage().missing_size(), 2);
  EXPECT_EQ(part.salvage().missing(0).length_bytes(), 4096U);
  EXPECT_EQ(part.salvage().missing(1).offset_bytes(), 4 * 4096U);
  EXPECT_EQ(part.salvage().missing(1).length_bytes(), 0U);
  EXPECT_TRUE(store_->files().List(JoinPath(store_->root(), "tmp"))->empty()) << "the copy goes with the call";
}

TEST_F(PipelineOperationsTest, AFrameToSalvageHasALimit) {
  v1::DecompressRequest::Start salvage;
  salvage.set_salvage(true);
  std::string restored;
  EXPECT_THAT(
      operations_->Decompress(salvage, Source(std::string(kMaxUploadBytes + 1, 'x'), 65536), Into(restored), {}),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("max_upload_bytes = 1000000")));
  EXPECT_THAT(operations_->Decompress(salvage, Source(std::string(kMaxUploadBytes, 'x'), 65536), Into(restored), {}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not a frame")));
}

TEST_F(PipelineOperationsTest, EveryCodecRestoresTheTextAndIsNamed) {
  const std::string text = Sentences();
  uint64_t smallest = 0;
  for (const v1::Codec codec : {v1::CODEC_UNSPECIFIED, v1::CODEC_ADAPTIVE, v1::CODEC_COUNT, v1::CODEC_STORED}) {
    v1::CompressRequest::Start start;
    start.set_codec(codec);
    std::string frame;
    ASSERT_OK_AND_ASSIGN(const v1::CompressResponse::Summary summary,
                         operations_->Compress(start, Source(text, 1000), Into(frame), {}));
    EXPECT_EQ(summary.codec(), codec == v1::CODEC_UNSPECIFIED ? v1::CODEC_ADAPTIVE : codec);
    if (smallest == 0) smallest = summary.frame_bytes();
    EXPECT_GE(summary.frame_bytes(), smallest) << "the default is the smallest";
    std::string restored;
    ASSERT_OK(operations_->Decompress({}, Source(frame, 1000), Into(restored), {}));
    EXPECT_EQ(restored, text);
  }
}

TEST_F(PipelineOperationsTest, ACheckpointThatIsNotThereIsNamed) {
  v1::CompressRequest::Start start;
  start.set_checkpoint("ffffffff");
  std::string frame;
  EXPECT_THAT(operations_->Compress(start, Source("x"), Into(frame), {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("ffffffff")));
}

TEST_F(PipelineOperationsTest, UnknownArtifactsAreNotFound) {
  v1::GenerateRequest request;
  request.set_checkpoint("ffffffff");
  EXPECT_THAT(
      operations_->Generate(request, [](absl::string_view, std::span<const SymbolId>) { return absl::OkStatus(); }, {}),
      StatusIs(absl::StatusCode::kNotFound));
  v1::CompareRequest compare;
  compare.set_baseline("ffffffff");
  compare.set_candidate("ffffffff");
  EXPECT_THAT(operations_->Compare(compare, {}), StatusIs(absl::StatusCode::kNotFound));
  v1::UnloadModelRequest unload;
  unload.set_checkpoint("ffffffff");
  EXPECT_THAT(operations_->UnloadModel(unload), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(PipelineOperationsTest, CapabilitiesListWhatThereIs) {
  const v1::Capabilities capabilities = operations_->Describe();
  EXPECT_THAT(capabilities.representations(), ::testing::ElementsAre("byte", "token", "coordinate"));
  EXPECT_THAT(capabilities.codecs(), ::testing::ElementsAre("adaptive", "count", "mixed", "probability",
                                                            "rank adaptive", "rank ans", "stored"));
  EXPECT_TRUE(operations_->ListModels().empty());
}

class CheckpointOperationsTest : public EngineTest {
 protected:
  CheckpointOperationsTest() {
    v1::ServerConfig config;
    config.set_threads(1);
    config.set_device("cpu");
    operations_ = *MakePipelineOperations(config, *store_, metrics_);
  }

  Metrics metrics_;
  std::unique_ptr<Operations> operations_;
};

TEST_F(CheckpointOperationsTest, EveryCodecOfACheckpointRestoresTheTextInAnotherServer) {
  const std::string checkpoint = MakeCheckpoint(1).Name();
  const std::string text = Sentences().substr(0, 9000);
  v1::ServerConfig config;
  config.set_threads(2);
  config.set_device("cpu");
  ASSERT_OK_AND_ASSIGN(const auto other, MakePipelineOperations(config, *store_, metrics_));
  for (const v1::Codec codec : {v1::CODEC_PROBABILITY, v1::CODEC_RANK_ANS, v1::CODEC_RANK_ADAPTIVE, v1::CODEC_MIXED}) {
    v1::CompressRequest::Start start;
    start.set_checkpoint(checkpoint);
    start.set_codec(codec);
    start.set_block_size_bytes(4096);
    std::string frame;
    ASSERT_OK_AND_ASSIGN(const v1::CompressResponse::Summary summary,
                         operations_->Compress(start, Source(text), Into(frame), {}));
    EXPECT_EQ(summary.codec(), codec);
    EXPECT_EQ(summary.blocks(), 3U);
    EXPECT_EQ(summary.verified_blocks(), 3U);
    EXPECT_EQ(summary.stored_blocks(), 0U);
    EXPECT_GT(summary.checkpoint_bytes(), 10'000U);
    EXPECT_LT(summary.payload_bytes(), summary.frame_bytes());
    std::string restored;
    ASSERT_OK(other->Decompress({}, Source(frame), Into(restored), {}));
    EXPECT_EQ(restored, text);
    v1::DecompressRequest::Start range;
    range.set_offset_bytes(5000);
    range.set_length_bytes(10);
    std::string part;
    ASSERT_OK(other->Decompress(range, Source(frame), Into(part), {}));
    EXPECT_EQ(part, text.substr(5000, 10));
  }
}

TEST_F(CheckpointOperationsTest, BlocksAreCountedByCodecAndDirection) {
  const std::string text = Sentences().substr(0, 9000) + std::string("\x01\xf7\x80\x13", 4);
  v1::CompressRequest::Start start;
  start.set_checkpoint(MakeCheckpoint(1).Name());
  start.set_codec(v1::CODEC_RANK_ANS);
  start.set_block_size_bytes(4096);
  std::string frame;
  ASSERT_OK(operations_->Compress(start, Source(text, 500), Into(frame), {}));
  v1::CompressRequest::Start stored;
  stored.set_codec(v1::CODEC_STORED);
  std::string stored_frame;
  ASSERT_OK(operations_->Compress(stored, Source("x"), Into(stored_frame), {}));
  std::string restored;
  ASSERT_OK(operations_->Decompress({}, Source(frame, 500), Into(restored), {}));
  const std::string page = metrics_.Expose();
  EXPECT_THAT(page, HasSubstr("clm_blocks_total{codec=\"rank ans\",direction=\"compress\"} 3"));
  EXPECT_THAT(page, HasSubstr("clm_blocks_total{codec=\"rank ans\",direction=\"decompress\"} 3"));
  EXPECT_THAT(page, HasSubstr("clm_blocks_total{codec=\"stored\",direction=\"compress\"} 1"));
  EXPECT_THAT(page, HasSubstr("clm_lanes_in_use 0"));
}

TEST_F(CheckpointOperationsTest, AMachineThatComputesOtherNumbersIsCounted) {
  v1::CompressRequest::Start start;
  start.set_checkpoint(MakeCheckpoint(1).Name());
  start.set_codec(v1::CODEC_PROBABILITY);
  std::string frame;
  ASSERT_OK(operations_->Compress(start, Source("the cat sees the birds"), Into(frame), {}));
  constexpr size_t kCanaryOffset = 60;
  frame[kCanaryOffset] ^= 1;
  testing::FixHeaderChecksum(frame);
  std::string restored;
  EXPECT_THAT(operations_->Decompress({}, Source(frame), Into(restored), {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("computes other numbers")));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_canary_failures_total 1"));
}

TEST_F(CheckpointOperationsTest, ACancelledCallGivesItsLanesBackWithinASecond) {
  v1::CompressRequest::Start start;
  start.set_checkpoint(MakeCheckpoint(1).Name());
  start.set_codec(v1::CODEC_MIXED);
  start.set_block_size_bytes(65536);
  CancellationSource source;
  const auto are_lanes_free = [this] { return metrics_.Expose().find("clm_lanes_in_use 0\n") != std::string::npos; };
  const ByteSource endless = [](std::string& piece) -> absl::StatusOr<bool> {
    piece.assign(65536, 'a');
    return true;
  };
  std::thread caller([&] {
    std::string frame;
    EXPECT_THAT(operations_->Compress(start, endless, Into(frame), source.token()),
                StatusIs(absl::StatusCode::kCancelled));
  });
  while (are_lanes_free()) std::this_thread::yield();
  source.Cancel();
  const absl::Duration cancelled = SystemClock().Monotonic();
  caller.join();
  while (!are_lanes_free()) std::this_thread::yield();
  EXPECT_LT(SystemClock().Monotonic() - cancelled, absl::Seconds(1));
}

// Thirty-two calls at once, codecs mixed: each gets what it gets alone.
TEST_F(CheckpointOperationsTest, FramesAreTheSameInCompany) {
  constexpr size_t kCalls = 32;
  const std::string checkpoint = MakeCheckpoint(1).Name();
  const std::vector<v1::Codec> codecs = {v1::CODEC_PROBABILITY,   v1::CODEC_RANK_ANS, v1::CODEC_MIXED,
                                         v1::CODEC_RANK_ADAPTIVE, v1::CODEC_ADAPTIVE, v1::CODEC_COUNT};
  const auto frame_of = [&](size_t call) {
    v1::CompressRequest::Start start;
    start.set_codec(codecs[call % codecs.size()]);
    if (call % codecs.size() < 4) start.set_checkpoint(checkpoint);
    start.set_block_size_bytes(4096);
    std::string frame;
    EXPECT_TRUE(operations_->Compress(start, Source(Sentences().substr(11 * call, 500), 100), Into(frame), {}).ok());
    return frame;
  };
  std::vector<std::string> alone;
  for (size_t call = 0; call < kCalls; ++call) alone.push_back(frame_of(call));
  std::vector<std::string> together(kCalls);
  std::vector<std::thread> calls;
  for (size_t call = 0; call < kCalls; ++call) {
    calls.emplace_back([&, call] { together[call] = frame_of(call); });
  }
  for (std::thread& call : calls) call.join();
  for (size_t call = 0; call < kCalls; ++call) EXPECT_TRUE(together[call] == alone[call]) << call;
}

TEST_F(CheckpointOperationsTest, AFrameWithoutItsCheckpointIsRefused) {
  const ArtifactId checkpoint = MakeCheckpoint(1);
  v1::CompressRequest::Start start;
  start.set_checkpoint(checkpoint.Name());
  std::string frame;
  ASSERT_OK(operations_->Compress(start, Source("the cat sees the birds"), Into(frame), {}));
  ASSERT_OK(store_->Delete(checkpoint));
  v1::ServerConfig config;
  config.set_device("cpu");
  ASSERT_OK_AND_ASSIGN(const auto other, MakePipelineOperations(config, *store_, metrics_));
  std::string restored;
  EXPECT_THAT(other->Decompress({}, Source(frame), Into(restored), {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("needs a checkpoint with predictor")));
}

TEST_F(CheckpointOperationsTest, ExactGenerationIsTheSameEveryTime) {
  v1::GenerateRequest request;
  request.set_checkpoint(MakeCheckpoint(1).Name());
  request.set_exact(true);
  request.set_prompt("the cat");
  request.set_temperature(0);
  request.set_top_p(1);
  request.set_max_new_symbols(12);
  request.set_ignore_boundary(true);
  std::vector<std::string> texts(2);
  for (std::string& text : texts) {
    ASSERT_OK(operations_->Generate(request,
                                    [&text](absl::string_view piece, std::span<const SymbolId>) {
                                      text.append(piece.data(), piece.size());
                                      return absl::OkStatus();
                                    },
                                    {}));
  }
  EXPECT_FALSE(texts[0].empty());
  EXPECT_EQ(texts[0], texts[1]);
}

}  // namespace
}  // namespace clm
