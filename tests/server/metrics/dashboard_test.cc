// deploy/grafana/clm.json against the families that the service has.
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "server/metrics/metric_names.h"

namespace clm {
namespace {

using ::testing::IsSupersetOf;

nlohmann::json Dashboard() {
  std::ifstream in(CLM_GRAFANA_DIRECTORY "/clm.json");
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  nlohmann::json dashboard = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  EXPECT_TRUE(dashboard.is_object());
  return dashboard;
}

// The words of an expression that name metrics.
std::set<std::string> MetricsIn(const std::string& expression) {
  std::set<std::string> names;
  std::string word;
  for (const char c : absl::StrCat(expression, " ")) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_') {
      word.push_back(c);
      continue;
    }
    if (absl::StartsWith(word, "clm_") || absl::StartsWith(word, "process_")) names.insert(word);
    word.clear();
  }
  return names;
}

// What a page has of the families: histograms as three.
std::set<std::string> ExposedNames() {
  std::set<std::string> names;
  for (const MetricFamily* family : AllMetricFamilies()) {
    if (family->type != MetricType::kHistogram) {
      names.insert(family->name);
      continue;
    }
    for (const char* suffix : {"_bucket", "_count", "_sum"}) names.insert(absl::StrCat(family->name, suffix));
  }
  return names;
}

TEST(DashboardTest, PanelsAskForMetricsThatThereAre) {
  std::set<int> ids;
  std::set<std::string> asked;
  const nlohmann::json dashboard = Dashboard();
  for (const nlohmann::json& panel : dashboard["panels"]) {
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << panel["title"];
    EXPECT_FALSE(panel["targets"].empty()) << panel["title"];
    for (const nlohmann::json& target : panel["targets"]) {
      const std::set<std::string> names = MetricsIn(target["expr"].get<std::string>());
      EXPECT_FALSE(names.empty()) << panel["title"];
      asked.insert(names.begin(), names.end());
    }
  }
  EXPECT_THAT(ExposedNames(), IsSupersetOf(asked));
  EXPECT_THAT(asked, IsSupersetOf({"clm_blocks_total", "clm_canary_failures_total", "clm_decoded_bytes_total",
                                   "clm_lanes_in_use", "clm_roundtrip_failures_total"}));
}

TEST(DashboardTest, PanelsDoNotOverlap) {
  std::set<std::pair<int, int>> taken;
  const nlohmann::json dashboard = Dashboard();
  for (const nlohmann::json& panel : dashboard["panels"]) {
    const nlohmann::json& place = panel["gridPos"];
    for (int x = place["x"]; x < place["x"].get<int>() + place["w"].get<int>(); ++x) {
      EXPECT_LT(x, 24) << panel["title"];
      for (int y = place["y"]; y < place["y"].get<int>() + place["h"].get<int>(); ++y) {
        EXPECT_TRUE(taken.insert({x, y}).second) << panel["title"];
      }
    }
  }
}

}  // namespace
}  // namespace clm
