#include "server/convert/pipeline_operations.h"

#include <algorithm>
#include <utility>

#include "core/pipeline/prepare.h"
#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;

class PipelineOperationsTest : public PipelineTest {
 protected:
  PipelineOperationsTest() {
    v1::ServerConfig config;
    config.set_threads(2);
    config.set_device("cpu");
    auto operations = MakePipelineOperations(config, *store_, metrics_);
    EXPECT_TRUE(operations.ok()) << operations.status();
    operations_ = *std::move(operations);
  }

  // `text` in pieces of `piece` bytes.
  static ByteSource Source(const std::string& text, size_t piece = 7) {
    return [text, piece, at = size_t{0}](std::string& out) mutable -> absl::StatusOr<bool> {
      out = text.substr(std::min(at, text.size()), piece);
      at += out.size();
      return !out.empty();
    };
  }
  static ByteSink Into(std::string& target) {
    return [&target](absl::string_view data) {
      target.append(data.data(), data.size());
      return absl::OkStatus();
    };
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

TEST_F(PipelineOperationsTest, ACheckpointIsNoCodecYet) {
  v1::CompressRequest::Start start;
  start.set_checkpoint("ffffffff");
  std::string frame;
  EXPECT_THAT(operations_->Compress(start, Source("x"), Into(frame), {}), StatusIs(absl::StatusCode::kUnimplemented));
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
  EXPECT_THAT(capabilities.codecs(), Contains("count"));
  EXPECT_TRUE(operations_->ListModels().empty());
}

}  // namespace
}  // namespace clm
