#include "core/data/prepare_report.h"

#include <nlohmann/json.hpp>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

PrepareReport SomeReport() {
  PrepareReport report;
  report.tokenizer_sha256 = std::string(64, 'a');
  report.universe_sha256 = std::string(64, 'b');
  report.split_options = {.selection_ppm = 10, .validation_ppm = 20};
  report.split(Split::kBuild) = {5, 100, std::string(64, 'c'), {{"byte", 105}, {"token", 50}}};
  report.split(Split::kValidation) = {1, 10, std::string(64, 'd'), {{"byte", 11}}};
  report.layers = {{.definitions = 3, .symbols_before = 50, .symbols_after = 40}};
  report.input_files = 2;
  report.bad_lines = 1;
  report.bad_line_examples = {"a.jsonl:3: not valid JSON"};
  report.round_trip_verified = true;
  report.seconds = 0.1;
  report.peak_memory_bytes = uint64_t{1} << 40;
  report.options_json = R"({"vocab_size": 4096})";
  return report;
}

TEST(PrepareReportTest, JsonGoesBothWays) {
  ASSERT_OK_AND_ASSIGN(const std::string text, PrepareReportToJson(SomeReport()));
  ASSERT_OK_AND_ASSIGN(const PrepareReport read, PrepareReportFromJson(text));
  EXPECT_EQ(read, SomeReport());
  EXPECT_EQ(read.split(Split::kBuild), SomeReport().split(Split::kBuild));
  EXPECT_EQ(read.layers, SomeReport().layers);
  ASSERT_OK_AND_ASSIGN(const std::string again, PrepareReportToJson(read));
  EXPECT_EQ(again, text);
}

TEST(PrepareReportTest, EveryMissingFieldIsNamed) {
  const nlohmann::json good = nlohmann::json::parse(*PrepareReportToJson(SomeReport()));
  for (const auto& [key, ignored] : good.items()) {
    nlohmann::json bad = good;
    bad.erase(key);
    EXPECT_THAT(PrepareReportFromJson(bad.dump()), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(key)));
  }
}

TEST(PrepareReportTest, WhatIsUnknownOrIllTypedIsRefused) {
  const nlohmann::json good = nlohmann::json::parse(*PrepareReportToJson(SomeReport()));
  const auto refused = [&good](const std::string& pointer, const nlohmann::json& value, const char* message) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(pointer)] = value;
    EXPECT_THAT(PrepareReportFromJson(bad.dump()), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  };
  refused("/schema_version", 2, "schema version 2");
  refused("/extra", 1, "extra is unknown");
  refused("/splits/test", 1, "splits.test is unknown");
  refused("/splits/build/documents", -1, "splits.build.documents");
  refused("/splits/build/symbols/token", "x", "symbols.token");
  refused("/splits/build/symbols", 7, "symbols");
  refused("/layers", 7, "layers");
  refused("/layers/0/definitions", 0.5, "layers[0].definitions");
  refused("/input/bad_line_examples/0", 1, "bad_line_examples");
  refused("/selection_ppm", 999'999, "selection_ppm");
  refused("/options", 3, "options");
}

TEST(PrepareReportTest, BytesThatAreNoTextAreShownNotRefused) {
  PrepareReport report = SomeReport();
  report.bad_line_examples = {"\xFF.jsonl:1: x"};
  ASSERT_OK_AND_ASSIGN(const std::string text, PrepareReportToJson(report));
  EXPECT_OK(PrepareReportFromJson(text));
}

}  // namespace
}  // namespace clm
