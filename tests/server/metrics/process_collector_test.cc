#include "server/metrics/process_collector.h"

#include <fcntl.h>
#include <unistd.h>

#include <ctime>
#include <map>
#include <string>

#include "gtest/gtest.h"
#include "server/metrics/metric_names.h"

namespace clm {
namespace {

std::map<std::string, double> Values() {
  std::map<std::string, double> values;
  for (const prometheus::MetricFamily& family : ProcessCollector().Collect()) {
    const auto& metric = family.metric.at(0);
    values[family.name] = family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
  }
  return values;
}

TEST(ProcessCollectorTest, FiguresAreThoseOfThisProcess) {
  std::map<std::string, double> values = Values();
  ASSERT_EQ(values.size(), 6u);
  EXPECT_GT(values[kProcessResident.name], 1 << 20);
  EXPECT_GT(values[kProcessVirtual.name], values[kProcessResident.name]);
  EXPECT_GE(values[kProcessCpu.name], 0);
  EXPECT_GT(values[kProcessMaxFds.name], values[kProcessOpenFds.name]);
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_LE(values[kProcessStart.name], now + 1);
  EXPECT_GT(values[kProcessStart.name], now - 3600);
}

TEST(ProcessCollectorTest, OneMoreDescriptorIsCounted) {
  const double before = Values()[kProcessOpenFds.name];
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(Values()[kProcessOpenFds.name], before + 1);
  close(fd);
  EXPECT_EQ(Values()[kProcessOpenFds.name], before);
}

}  // namespace
}  // namespace clm
