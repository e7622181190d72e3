#include "server/service/generate_handler.h"

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/service/fake_operations.h"
#include "tests/server/service/message_streams.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

v1::GenerateRequest Request() {
  v1::GenerateRequest request;
  request.set_checkpoint("abc");
  return request;
}

TEST(GenerateRequestTest, RangesAreThoseOfTheContract) {
  v1::GenerateRequest request = Request();
  EXPECT_OK(CheckGenerateRequest(request));
  request.set_temperature(100);
  request.set_top_p(1);
  request.set_max_new_bytes(kMaxNewBytes);
  request.set_prompt(std::string(kMaxPromptBytes, 'p'));
  for (int i = 0; i < 16; ++i) request.add_stop(std::string(1024, 's'));
  EXPECT_OK(CheckGenerateRequest(request));
  request.set_temperature(0);
  EXPECT_OK(CheckGenerateRequest(request));
}

TEST(GenerateRequestTest, ValuesBeyondTheRangesAreNamed) {
  const auto refused = [](void (*change)(v1::GenerateRequest&), absl::string_view field) {
    v1::GenerateRequest request = Request();
    change(request);
    EXPECT_THAT(CheckGenerateRequest(request),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(std::string(field))));
  };
  refused([](v1::GenerateRequest& r) { r.clear_checkpoint(); }, "checkpoint");
  refused([](v1::GenerateRequest& r) { r.set_prompt(std::string(kMaxPromptBytes + 1, 'p')); }, "prompt");
  refused([](v1::GenerateRequest& r) { r.set_temperature(-0.1); }, "temperature");
  refused([](v1::GenerateRequest& r) { r.set_temperature(100.1); }, "temperature");
  refused([](v1::GenerateRequest& r) { r.set_temperature(std::numeric_limits<double>::quiet_NaN()); }, "temperature");
  refused([](v1::GenerateRequest& r) { r.set_top_p(0); }, "top_p");
  refused([](v1::GenerateRequest& r) { r.set_top_p(1.01); }, "top_p");
  refused([](v1::GenerateRequest& r) { r.set_max_new_bytes(kMaxNewBytes + 1); }, "max_new_bytes");
  refused([](v1::GenerateRequest& r) { r.add_stop(""); }, "stop");
  refused([](v1::GenerateRequest& r) { r.add_stop(std::string(1025, 's')); }, "stop");
  refused(
      [](v1::GenerateRequest& r) {
        for (int i = 0; i < 17; ++i) r.add_stop(std::string(1, 's'));
      },
      "stop");
}

TEST(GenerateRequestTest, DefaultsAreThoseOfTheContract) {
  const v1::GenerateRequest filled = WithGenerateDefaults(Request());
  EXPECT_EQ(filled.temperature(), 1);
  EXPECT_EQ(filled.top_p(), 1);
  EXPECT_EQ(filled.max_new_bytes(), 256u);
  v1::GenerateRequest by_symbols = Request();
  by_symbols.set_max_new_symbols(7);
  by_symbols.set_temperature(0);
  EXPECT_EQ(WithGenerateDefaults(by_symbols).max_new_bytes(), kMaxNewBytes);
  EXPECT_EQ(WithGenerateDefaults(by_symbols).temperature(), 0);
}

TEST(GenerateHandlerTest, TextComesAsItIsMadeThenTheSummary) {
  testing::FakeOperations operations;
  Metrics metrics;
  const Call call("m", "id");
  testing::FakeWriter<v1::GenerateResponse> writer;
  v1::GenerateRequest request = Request();
  request.set_prompt("hi");
  ASSERT_OK(HandleGenerate(operations, metrics, call, request, writer));
  ASSERT_EQ(writer.messages.size(), 3u);
  EXPECT_EQ(writer.messages[0].text(), "h");
  EXPECT_EQ(writer.messages[0].symbols(), std::string("h\0\0\0", 4));
  EXPECT_EQ(writer.messages[2].summary().new_bytes(), 2u);
  EXPECT_EQ(operations.last_generate.max_new_bytes(), 256u);
  EXPECT_THAT(metrics.Expose(), HasSubstr("clm_generated_symbols_total{representation=\"byte\"} 2"));
}

TEST(GenerateHandlerTest, ErrorsPassThroughWithoutASummary) {
  testing::FakeOperations operations;
  operations.failure = absl::NotFoundError("no checkpoint abc");
  Metrics metrics;
  const Call call("m", "id");
  testing::FakeWriter<v1::GenerateResponse> writer;
  EXPECT_THAT(HandleGenerate(operations, metrics, call, Request(), writer), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(writer.messages.empty());
}

}  // namespace
}  // namespace clm
