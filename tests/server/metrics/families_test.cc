// The list of families against its golden file, and against promtool where that is installed.
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/file_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/metrics/metrics.h"
#include "tests/server/metrics/every_series.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

constexpr char kGoldenFile[] = CLM_GOLDEN_DIRECTORY "/families.txt";

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

std::string Describe() {
  std::vector<std::string> lines;
  for (const MetricFamily* family : AllMetricFamilies()) {
    lines.push_back(absl::StrCat(family->name, " ", TypeName(family->type), " {", family->labels, "}"));
  }
  std::sort(lines.begin(), lines.end());
  return absl::StrJoin(lines, "\n") + "\n";
}

TEST(FamiliesTest, NamesTypesAndLabelsAreThoseOfTheGoldenFile) {
  if (std::getenv("CLM_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(kGoldenFile) << Describe();
    GTEST_SKIP() << "wrote " << kGoldenFile;
  }
  std::ifstream in(kGoldenFile);
  const std::string golden{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  EXPECT_EQ(Describe(), golden) << "Dashboards rely on these names. To take the new list: CLM_UPDATE_GOLDEN=1 "
                                   "clm_server_metrics_test, then look at deploy/prometheus and deploy/grafana.";
}

TEST(FamiliesTest, ExpositionHoldsExactlyTheListedFamilies) {
  Metrics metrics;
  testing::TouchEverySeries(metrics);
  std::vector<std::string> exposed;
  const std::string text = metrics.Expose();
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() == 4 && words[1] == "TYPE") exposed.push_back(absl::StrCat(words[2], " ", words[3]));
  }
  std::vector<std::string> listed;
  for (const MetricFamily* family : AllMetricFamilies()) {
    listed.push_back(absl::StrCat(family->name, " ", TypeName(family->type)));
  }
  EXPECT_THAT(exposed, ::testing::UnorderedElementsAreArray(listed));
}

TEST(FamiliesTest, CountersEndInTotalAndNothingElseDoes) {
  for (const MetricFamily* family : AllMetricFamilies()) {
    EXPECT_EQ(absl::EndsWith(family->name, "_total"), family->type == MetricType::kCounter) << family->name;
  }
}

// promtool, or nothing when it is not installed.
std::string FindPromtool() {
  std::vector<std::string> folders;
  if (const char* path = std::getenv("PATH")) folders = absl::StrSplit(path, ':');
  const char* deps = std::getenv("CLM_DEPS_DIR");
  const char* home = std::getenv("HOME");
  const std::string cache = deps != nullptr ? deps : absl::StrCat(home != nullptr ? home : "", "/.cache/clm");
  folders.push_back(absl::StrCat(cache, "/promtool"));
  folders.push_back(absl::StrCat(cache, "/promtool/usr/bin"));
  for (const std::string& folder : folders) {
    std::string file = JoinPath(folder, "promtool");
    if (PosixFileSystem().Exists(file)) return file;
  }
  return "";
}

TEST(FamiliesTest, PromtoolFindsNothingToComplainAbout) {
  const std::string promtool = FindPromtool();
  if (promtool.empty()) GTEST_SKIP() << "promtool is not installed";
  Metrics metrics;
  testing::TouchEverySeries(metrics);
  const testing::TemporaryDirectory directory;
  std::ofstream(directory.File("metrics.txt")) << metrics.Expose();
  const std::string command =
      absl::StrCat(promtool, " check metrics < ", directory.File("metrics.txt"), " > ", directory.File("out"), " 2>&1");
  const int status = std::system(command.c_str());  // NOLINT(bugprone-command-processor,cert-env33-c): our own words
  ASSERT_OK_AND_ASSIGN(const std::string output, ReadFile(PosixFileSystem(), directory.File("out"), 1 << 20));
  std::vector<std::string> complaints;
  for (const absl::string_view line : absl::StrSplit(output, '\n', absl::SkipEmpty())) {
    // Bits are what a model costs; bytes would be another quantity.
    if (!absl::StrContains(line, "use base unit \"bytes\" instead of \"bits\"")) complaints.emplace_back(line);
  }
  EXPECT_THAT(complaints, ::testing::IsEmpty());
  constexpr int kLintOnly = 3;
  EXPECT_THAT(WEXITSTATUS(status), ::testing::AnyOf(0, kLintOnly));
}

}  // namespace
}  // namespace clm
