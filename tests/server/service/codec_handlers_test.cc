// Encode, Decode, Compress, Decompress, Compare: what their handlers add to Operations.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/service/chunks.h"
#include "server/service/compare_handler.h"
#include "server/service/compress_handler.h"
#include "server/service/decode_handler.h"
#include "server/service/decompress_handler.h"
#include "server/service/encode_handler.h"
#include "server/service/symbol_bytes.h"
#include "tests/server/service/fake_operations.h"
#include "tests/server/service/message_streams.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::FakeReader;
using ::clm::testing::FakeWriter;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class CodecHandlersTest : public ::testing::Test {
 protected:
  static v1::EncodeRequest EncodeStart() {
    v1::EncodeRequest request;
    request.mutable_start()->mutable_representation()->set_kind("byte");
    return request;
  }
  static v1::EncodeRequest EncodeData(const std::string& data) {
    v1::EncodeRequest request;
    request.set_data(data);
    return request;
  }
  absl::Status Encode(std::deque<v1::EncodeRequest> requests, absl::Status end = absl::OkStatus()) {
    FakeReader<v1::EncodeRequest> reader(std::move(requests), std::move(end));
    return HandleEncode({operations_, metrics_, paths_}, call_, reader, encoded_);
  }

  static v1::DecodeRequest DecodeStart(uint32_t width) {
    v1::DecodeRequest request;
    request.mutable_start()->mutable_representation()->set_kind("byte");
    request.mutable_start()->set_width_bytes(width);
    return request;
  }
  static v1::DecodeRequest DecodeData(const std::string& symbols) {
    v1::DecodeRequest request;
    request.set_symbols(symbols);
    return request;
  }
  absl::Status Decode(std::deque<v1::DecodeRequest> requests) {
    FakeReader<v1::DecodeRequest> reader(std::move(requests));
    return HandleDecode({operations_, metrics_, paths_}, call_, reader, decoded_);
  }

  static v1::CompressRequest CompressData(const std::string& data) {
    v1::CompressRequest request;
    request.set_data(data);
    return request;
  }
  absl::Status Compress(const v1::CompressRequest::Start& start, const std::vector<std::string>& data) {
    std::deque<v1::CompressRequest> requests(1);
    *requests[0].mutable_start() = start;
    for (const std::string& piece : data) requests.push_back(CompressData(piece));
    FakeReader<v1::CompressRequest> reader(std::move(requests));
    return HandleCompress(operations_, metrics_, call_, reader, compressed_);
  }

  absl::Status Decompress(const std::vector<std::string>& frame) {
    std::deque<v1::DecompressRequest> requests(1);
    requests[0].mutable_start();
    for (const std::string& piece : frame) requests.emplace_back().set_frame(piece);
    FakeReader<v1::DecompressRequest> reader(std::move(requests));
    return HandleDecompress(operations_, metrics_, call_, reader, decompressed_);
  }

  testing::FakeOperations operations_;
  Metrics metrics_;
  ServerPaths paths_;
  Call call_{"m", "id"};
  FakeWriter<v1::EncodeResponse> encoded_;
  FakeWriter<v1::DecodeResponse> decoded_;
  FakeWriter<v1::CompressResponse> compressed_;
  FakeWriter<v1::DecompressResponse> decompressed_;
};

TEST_F(CodecHandlersTest, EncodeSendsHeaderSymbolsSummary) {
  ASSERT_OK(Encode({EncodeStart(), EncodeData("ab"), EncodeData(""), EncodeData("c")}));
  ASSERT_EQ(encoded_.messages.size(), 4u);
  EXPECT_EQ(encoded_.messages[0].header().width_bytes(), 2u);
  EXPECT_EQ(encoded_.messages[0].header().vocab_size(), 257u);
  EXPECT_EQ(encoded_.messages[0].header().fingerprint(), "f00d");
  EXPECT_EQ(encoded_.messages[1].symbols(), std::string("b\0c\0", 4));
  EXPECT_EQ(encoded_.messages[2].symbols(), std::string("d\0", 2));
  EXPECT_EQ(encoded_.messages[3].summary().original_bytes(), 3u);
  EXPECT_EQ(encoded_.messages[3].summary().symbols(), 3u);
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_original_bytes_total{operation=\"encode\",representation=\"byte\"} 3"));
}

TEST_F(CodecHandlersTest, EmptyDocumentHasAHeaderAndASummary) {
  ASSERT_OK(Encode({EncodeStart()}));
  ASSERT_EQ(encoded_.messages.size(), 2u);
  EXPECT_TRUE(encoded_.messages[1].has_summary());
}

TEST_F(CodecHandlersTest, LargeVocabularyTravelsInFourBytesAndLargeAnswersInPieces) {
  operations_.vocab_size = 100000;
  ASSERT_OK(Encode({EncodeStart(), EncodeData(std::string(100000, 'x'))}));
  EXPECT_EQ(encoded_.messages[0].header().width_bytes(), 4u);
  ASSERT_EQ(encoded_.messages.size(), 4u);
  EXPECT_EQ(encoded_.messages[1].symbols().size(), kMaxChunkOutBytes);
  EXPECT_EQ(encoded_.messages[1].symbols().size() + encoded_.messages[2].symbols().size(), 400000u);
}

TEST_F(CodecHandlersTest, BreaksOfTheEncodeProtocolAreNamed) {
  EXPECT_THAT(Encode({}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start")));
  EXPECT_THAT(Encode({EncodeData("x")}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start")));
  EXPECT_THAT(Encode({EncodeStart(), EncodeStart()}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("data")));
  EXPECT_THAT(Encode({EncodeStart(), v1::EncodeRequest()}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(Encode({EncodeStart(), EncodeData(std::string(kMaxChunkInBytes, 'x'))}));
  encoded_.messages.clear();
  EXPECT_THAT(Encode({EncodeStart(), EncodeData(std::string(kMaxChunkInBytes + 1, 'x'))}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1048577")));
  EXPECT_FALSE(encoded_.messages.back().has_summary()) << "no summary without success";
}

TEST_F(CodecHandlersTest, CallerThatLeavesEndsEncodeWithoutASummary) {
  EXPECT_THAT(Encode({EncodeStart(), EncodeData("x")}, absl::CancelledError("gone")),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_FALSE(encoded_.messages.back().has_summary());
  FakeReader<v1::EncodeRequest> reader({EncodeStart(), EncodeData("x")});
  FakeWriter<v1::EncodeResponse> full(/*room=*/1);
  EXPECT_THAT(HandleEncode({operations_, metrics_, paths_}, call_, reader, full),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(CodecHandlersTest, CancelledTokenReachesTheOperation) {
  call_.source().Cancel();
  EXPECT_THAT(Encode({EncodeStart(), EncodeData("x")}), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(Compress({}, {"x"}), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(CodecHandlersTest, DecodeTakesSymbolsCutAnywhere) {
  std::string symbols;
  PackSymbols(std::vector<SymbolId>{'h' + 1, 'i' + 1}, 4, symbols);
  ASSERT_OK(Decode({DecodeStart(4), DecodeData(symbols.substr(0, 1)), DecodeData(symbols.substr(1, 5)),
                    DecodeData(symbols.substr(6))}));
  std::string text;
  for (const v1::DecodeResponse& message : decoded_.messages) text += message.data();
  EXPECT_EQ(text, "hi");
  const auto& summary = decoded_.messages.back().summary();
  EXPECT_EQ(summary.decoded_bytes(), 2u);
  EXPECT_EQ(summary.symbols(), 2u);
  // sha256sum of "hi"
  EXPECT_EQ(summary.sha256(), "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4");
  EXPECT_TRUE(summary.valid_utf8());
}

TEST_F(CodecHandlersTest, BreaksOfTheDecodeProtocolAreNamed) {
  EXPECT_THAT(Decode({DecodeStart(3)}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("width_bytes")));
  EXPECT_THAT(Decode({DecodeStart(2), DecodeData(std::string("b\0c", 3))}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("symbol 1")));
  EXPECT_THAT(Decode({DecodeStart(2), DecodeStart(2)}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("symbols")));
  EXPECT_THAT(Decode({DecodeStart(4), DecodeData(std::string("\xff\xff\xff\xff", 4))}),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("4294967295")));
  v1::DecodeRequest other = DecodeStart(2);
  other.mutable_start()->set_fingerprint("beef");
  EXPECT_THAT(Decode({other}), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(CodecHandlersTest, CompressCountsWhatItSent) {
  ASSERT_OK(Compress({}, {std::string(3, 'a'), std::string(5, 'b')}));
  ASSERT_EQ(compressed_.messages.size(), 2u);
  EXPECT_EQ(compressed_.messages[0].frame(), "Faaabbbbb");
  const auto& summary = compressed_.messages[1].summary();
  EXPECT_EQ(summary.original_bytes(), 8u);
  EXPECT_DOUBLE_EQ(summary.bits_per_byte(), 9.0);  // 9 bytes of 8 bits over 8 bytes
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_frame_bytes_total{operation=\"compress\",representation=\"byte\"} 9"));
}

TEST_F(CodecHandlersTest, EmptyInputHasNoBitsPerByte) {
  ASSERT_OK(Compress({}, {}));
  EXPECT_EQ(compressed_.messages.back().summary().bits_per_byte(), 0);
}

TEST_F(CodecHandlersTest, CompressRangesAreInclusive) {
  v1::CompressRequest::Start start;
  for (const uint32_t good : {0u, 4096u, 16777216u}) {
    start.set_block_size_bytes(good);
    EXPECT_OK(Compress(start, {"x"})) << good;
  }
  for (const uint32_t bad : {1u, 4095u, 16777217u}) {
    start.set_block_size_bytes(bad);
    EXPECT_THAT(Compress(start, {"x"}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("block_size_bytes")));
  }
  start.set_block_size_bytes(0);
  start.set_verify(static_cast<v1::VerifyMode>(9));
  EXPECT_THAT(Compress(start, {"x"}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("verify")));
  start.set_verify(v1::VERIFY_MODE_FULL);
  start.set_codec(static_cast<v1::Codec>(99));
  EXPECT_THAT(Compress(start, {"x"}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start.codec")));
}

TEST_F(CodecHandlersTest, CompareTakesInputsUpToSixtyFourMebibytes) {
  v1::CompressRequest::Start start;
  start.set_compare(true);
  std::vector<std::string> data(64, std::string(kMaxChunkInBytes, 'x'));
  EXPECT_OK(Compress(start, data));
  data.emplace_back("x");
  EXPECT_THAT(Compress(start, data), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("67108864")));
}

TEST_F(CodecHandlersTest, AFailedCompressionHasNoSummary) {
  operations_.failure = absl::DataLossError("a file of the checkpoint is damaged");
  EXPECT_THAT(Compress({}, {"x"}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(compressed_.messages.empty());
}

TEST_F(CodecHandlersTest, DecompressGivesBytesThenSummary) {
  ASSERT_OK(Decompress({"F", std::string(300000, 'z')}));
  ASSERT_EQ(decompressed_.messages.size(), 3u);
  EXPECT_EQ(decompressed_.messages[0].data().size(), kMaxChunkOutBytes);
  EXPECT_EQ(decompressed_.messages[2].summary().original_bytes(), 300000u);
  EXPECT_TRUE(decompressed_.messages[2].summary().sha256_verified());
}

TEST_F(CodecHandlersTest, SalvageDoesNotGoWithARange) {
  v1::DecompressRequest request;
  request.mutable_start()->set_salvage(true);
  request.mutable_start()->set_length_bytes(1);
  FakeReader<v1::DecompressRequest> reader({request});
  EXPECT_THAT(HandleDecompress(operations_, metrics_, call_, reader, decompressed_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start.salvage")));
}

TEST_F(CodecHandlersTest, DamagedFrameHasNoSummary) {
  EXPECT_THAT(Decompress({"X"}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block 0")));
  EXPECT_TRUE(decompressed_.messages.empty());
}

TEST_F(CodecHandlersTest, CompareNeedsBothReports) {
  v1::CompareRequest request;
  EXPECT_THAT(HandleCompare(operations_, call_, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("baseline")));
  request.set_baseline("a");
  EXPECT_THAT(HandleCompare(operations_, call_, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("candidate")));
  request.set_candidate("b");
  EXPECT_EQ(HandleCompare(operations_, call_, request)->verdict(), "undecided");
}

}  // namespace
}  // namespace clm
