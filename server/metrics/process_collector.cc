#include "server/metrics/process_collector.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "server/metrics/metric_names.h"

namespace clm {
namespace {

std::string ReadText(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Field `number` of /proc/self/stat, counted from 1 as in proc(5), fields from 3 on; -1 when it is not there.
double StatField(const std::string& stat, size_t number) {
  constexpr size_t kFirstAfterName = 3;
  const size_t name_end = stat.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos || name_end + 2 > stat.size()) return -1;
  const std::vector<std::string> fields = absl::StrSplit(stat.substr(name_end + 2), ' ');
  double value = -1;
  if (number - kFirstAfterName >= fields.size()) return -1;
  return absl::SimpleAtod(fields[number - kFirstAfterName], &value) ? value : -1;
}

double BootTimeSeconds() {
  const std::string stat = ReadText("/proc/stat");
  for (const absl::string_view line : absl::StrSplit(stat, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    double seconds = 0;
    if (words.size() == 2 && words[0] == "btime" && absl::SimpleAtod(words[1], &seconds)) return seconds;
  }
  return -1;
}

double OpenDescriptors() {
  std::error_code error;
  std::filesystem::directory_iterator folder("/proc/self/fd", error);
  if (error) return -1;
  return static_cast<double>(std::distance(folder, std::filesystem::directory_iterator())) - 1;  // not our own look
}

double MaxDescriptors() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : -1;
}

void AddFamily(std::vector<prometheus::MetricFamily>& families, const MetricFamily& family, double value) {
  if (value < 0) return;
  prometheus::MetricFamily result;
  result.name = family.name;
  result.help = family.help;
  result.metric.emplace_back();
  if (family.type == MetricType::kCounter) {
    result.type = prometheus::MetricType::Counter;
    result.metric.back().counter.value = value;
  } else {
    result.type = prometheus::MetricType::Gauge;
    result.metric.back().gauge.value = value;
  }
  families.push_back(std::move(result));
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessCollector::Collect() const {
  // proc(5): utime 14, stime 15, starttime 22 (ticks), vsize 23 (bytes), rss 24 (pages).
  const std::string stat = ReadText("/proc/self/stat");
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double user = StatField(stat, 14);
  const double system = StatField(stat, 15);
  const double start = StatField(stat, 22);
  const double pages = StatField(stat, 24);
  const double boot = BootTimeSeconds();
  std::vector<prometheus::MetricFamily> families;
  AddFamily(families, kProcessCpu, user < 0 || system < 0 ? -1 : (user + system) / ticks);
  AddFamily(families, kProcessOpenFds, OpenDescriptors());
  AddFamily(families, kProcessMaxFds, MaxDescriptors());
  AddFamily(families, kProcessResident, pages < 0 ? -1 : pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
  AddFamily(families, kProcessVirtual, StatField(stat, 23));
  AddFamily(families, kProcessStart, boot < 0 || start < 0 ? -1 : boot + start / ticks);
  return families;
}

}  // namespace clm
