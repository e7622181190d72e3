#include "server/service/chunk_sender.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "clm/v1/codec.pb.h"
#include "core/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/service/message_streams.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::FakeWriter;
using ::clm::testing::StatusIs;

constexpr auto kDataOf = [](v1::DecodeResponse& response) -> std::string& { return *response.mutable_data(); };
using Sender = ChunkSender<v1::DecodeResponse, decltype(kDataOf)>;

std::string RandomBytes(uint64_t seed, size_t bytes) {
  CounterRng rng(seed, "chunk_sender_test", 0);
  std::string data;
  while (data.size() < bytes) data.push_back(static_cast<char>(rng.NextU32() & 0xFF));
  return data;
}

// Writes nothing until it is opened.
class GatedWriter final : public MessageWriter<v1::DecodeResponse> {
 public:
  absl::Status Write(const v1::DecodeResponse& message) override {
    if (writes_++ > 0) open.WaitForNotification();  // the first one is written directly
    sizes.push_back(message.data().size());
    return absl::OkStatus();
  }

  absl::Notification open;
  std::vector<size_t> sizes;

 private:
  int writes_ = 0;
};

TEST(ChunkSenderTest, EverythingComesInOrderHoweverItIsCut) {
  const std::string data = RandomBytes(1, 3'000'000);
  for (const size_t longest : {50'000U, 700'000U}) {
    CounterRng rng(2, "chunk_sender_test", longest);
    FakeWriter<v1::DecodeResponse> writer;
    Sender sender(writer, kDataOf);
    for (absl::string_view left = data; !left.empty();) {
      const absl::string_view piece = left.substr(0, rng.NextBelow(longest));
      ASSERT_OK(sender.Append(piece));
      left.remove_prefix(piece.size());
    }
    ASSERT_OK(sender.Finish());
    std::string got;
    for (const v1::DecodeResponse& message : writer.messages) {
      EXPECT_LE(message.data().size(), kMaxChunkOutBytes);
      EXPECT_FALSE(message.data().empty());
      got += message.data();
    }
    EXPECT_TRUE(got == data);
  }
}

TEST(ChunkSenderTest, WhatWaitsIsJoinedIntoFullMessagesOfWholeUnits) {
  GatedWriter writer;
  Sender sender(writer, kDataOf);
  constexpr size_t kPiece = 4 * 3001;
  const auto fill = [](char* to, size_t, size_t count) { std::fill_n(to, count, 'x'); };
  ASSERT_OK(sender.Append(Sender::kSentDirectly, 4, fill));
  size_t given = Sender::kSentDirectly;
  for (; given < 3 * kMaxChunkOutBytes; given += kPiece) ASSERT_OK(sender.Append(kPiece, 4, fill));
  writer.open.Notify();
  ASSERT_OK(sender.Finish());
  size_t total = 0;
  for (const size_t size : writer.sizes) {
    EXPECT_EQ(size % 4, 0U);
    total += size;
  }
  EXPECT_EQ(total, given);
  EXPECT_LE(writer.sizes.size(), 6U) << "one directly, one alone, the others joined";
}

TEST(ChunkSenderTest, AShortStreamIsWrittenAsItComes) {
  FakeWriter<v1::DecodeResponse> writer;
  Sender sender(writer, kDataOf);
  ASSERT_OK(sender.Append("a"));
  ASSERT_EQ(writer.messages.size(), 1U);
  ASSERT_OK(sender.Append("bc"));
  ASSERT_EQ(writer.messages.size(), 2U);
  EXPECT_EQ(writer.messages[1].data(), "bc");
  EXPECT_OK(sender.Finish());
}

TEST(ChunkSenderTest, AnErrorOfTheWriterEndsIt) {
  FakeWriter<v1::DecodeResponse> writer(/*room=*/3);
  Sender sender(writer, kDataOf);
  absl::Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) status = sender.Append(std::string(kMaxChunkOutBytes, 'x'));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(sender.Finish(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(writer.messages.size(), 3U);
}

TEST(ChunkSenderTest, WithoutFinishWhatWaitsIsDropped) {
  GatedWriter writer;
  {
    Sender sender(writer, kDataOf);
    for (int i = 0; i < 4; ++i) ASSERT_OK(sender.Append(std::string(kMaxChunkOutBytes, 'x')));
    writer.open.Notify();
  }
  EXPECT_LE(writer.sizes.size(), 4U);
  EXPECT_GE(writer.sizes.size(), 1U);
}

}  // namespace
}  // namespace clm
