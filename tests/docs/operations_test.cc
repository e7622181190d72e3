// docs/operations.md against the configuration, the metrics and the services that are compiled in.
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "clm/v1/artifact.pb.h"
#include "clm/v1/job.pb.h"
#include "clm/v1/server_config.pb.h"
#include "clm/v1/service.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "server/config/config.h"
#include "server/metrics/metric_names.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using google::protobuf::FieldDescriptor;
using ::testing::ElementsAreArray;

using Row = std::vector<std::string>;

const std::string& Page() {
  static const auto* const kPage = [] {
    std::ifstream in(CLM_DOCS_DIRECTORY "/operations.md");
    return new std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }();
  return *kPage;
}

// Cells of the rows below the table's first line, which is `header`. "\|" is not looked for: the tables read have none.
std::vector<Row> TableBelow(absl::string_view header) {
  std::vector<Row> rows;
  bool inside = false;
  for (const absl::string_view line : absl::StrSplit(Page(), '\n')) {
    if (line == header) {
      inside = true;
    } else if (inside && !absl::StartsWith(line, "| ")) {
      break;
    } else if (inside && !absl::StartsWith(line, "| ---")) {
      Row row;
      const absl::string_view cells = absl::StripSuffix(absl::StripPrefix(line, "| "), " |");
      for (const absl::string_view cell : absl::StrSplit(cells, " | ")) row.emplace_back(cell);
      rows.push_back(row);
    }
  }
  return rows;
}

std::vector<Row> ConfigTable() { return TableBelow("| field | default | range | meaning |"); }

const FieldDescriptor* FieldOf(const Row& row) {
  return v1::ServerConfig::descriptor()->FindFieldByName(
      std::string(absl::StripPrefix(absl::StripSuffix(row[0], "`"), "`")));
}

bool IsNumber(const FieldDescriptor& field) { return field.cpp_type() != FieldDescriptor::CPPTYPE_STRING; }

// The default as the page shows it.
std::string DefaultCell(const FieldDescriptor& field) {
  if (field.is_repeated()) return "none";
  std::string value;
  google::protobuf::TextFormat::PrintFieldValueToString(DefaultConfig(), &field, -1, &value);
  return absl::StrCat("`", value, "`");
}

uint64_t MaxOf(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ? std::numeric_limits<uint32_t>::max()
                                                             : std::numeric_limits<uint64_t>::max();
}

// Whether the server would take `value`.
bool Takes(const FieldDescriptor& field, uint64_t value) {
  v1::ServerConfig config = DefaultConfig();
  const auto& reflection = *v1::ServerConfig::GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
    reflection.SetUInt32(&config, &field, static_cast<uint32_t>(value));
  } else {
    reflection.SetUInt64(&config, &field, value);
  }
  return ValidateConfig(config).ok();
}

TEST(OperationsPageTest, EveryFieldHasItsRowInTheOrderOfTheContract) {
  std::vector<std::string> expected;
  for (int i = 0; i < v1::ServerConfig::descriptor()->field_count(); ++i) {
    expected.push_back(absl::StrCat("`", v1::ServerConfig::descriptor()->field(i)->name(), "`"));
  }
  std::vector<std::string> shown;
  for (const Row& row : ConfigTable()) shown.push_back(row[0]);
  EXPECT_THAT(shown, ElementsAreArray(expected));
}

TEST(OperationsPageTest, DefaultsAreThoseOfTheServer) {
  for (const Row& row : ConfigTable()) {
    ASSERT_EQ(row.size(), 4U) << row[0];
    const FieldDescriptor* field = FieldOf(row);
    ASSERT_NE(field, nullptr) << row[0];
    EXPECT_EQ(row[1], DefaultCell(*field)) << row[0];
    EXPECT_FALSE(row[3].empty()) << row[0];
  }
}

TEST(OperationsPageTest, RangesAreExactlyWhatTheServerTakes) {
  for (const Row& row : ConfigTable()) {
    const FieldDescriptor* field = FieldOf(row);
    ASSERT_NE(field, nullptr) << row[0];
    if (!IsNumber(*field)) continue;
    const std::vector<std::string> ends =
        absl::StrSplit(absl::StripSuffix(absl::StripPrefix(row[2], "`["), "]`"), ", ");
    ASSERT_EQ(ends.size(), 2U) << row[0];
    uint64_t low = 0;
    uint64_t high = MaxOf(*field);
    ASSERT_TRUE(absl::SimpleAtoi(ends[0], &low)) << row[0];
    if (ends[1] != "..") {
      ASSERT_TRUE(absl::SimpleAtoi(ends[1], &high)) << row[0];
    }
    EXPECT_TRUE(Takes(*field, low)) << row[0];
    EXPECT_TRUE(Takes(*field, high)) << row[0];
    if (low > 0) {
      EXPECT_FALSE(Takes(*field, low - 1)) << row[0];
    }
    if (high < MaxOf(*field)) {
      EXPECT_FALSE(Takes(*field, high + 1)) << row[0];
    }
  }
}

std::string TypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "?";
}

TEST(OperationsPageTest, MetricsAreThoseOfTheServer) {
  std::vector<Row> expected;
  for (const MetricFamily* family : AllMetricFamilies()) {
    std::string labels;
    for (const absl::string_view label : absl::StrSplit(family->labels, ',', absl::SkipEmpty())) {
      absl::StrAppend(&labels, labels.empty() ? "" : " ", "`", label, "`");
    }
    expected.push_back(
        {absl::StrCat("`", family->name, "`"), TypeName(family->type), labels.empty() ? "none" : labels, family->help});
  }
  EXPECT_THAT(TableBelow("| metric | type | labels | meaning |"), ElementsAreArray(expected));
}

TEST(OperationsPageTest, HealthNamesAreThoseOfEveryService) {
  std::vector<std::string> expected = {"`\"\"`", "`liveness`"};
  for (const auto* file :
       {v1::Capabilities::descriptor()->file(), v1::Job::descriptor()->file(), v1::Artifact::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      expected.push_back(absl::StrCat("`", file->service(i)->full_name(), "`"));
    }
  }
  std::vector<std::string> shown;
  for (const Row& row : TableBelow("| name | SERVING means |")) shown.push_back(row[0]);
  EXPECT_THAT(shown, ::testing::UnorderedElementsAreArray(expected));
}

}  // namespace
}  // namespace clm
