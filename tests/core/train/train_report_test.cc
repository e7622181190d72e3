#include "core/train/train_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace clm {
namespace {

TEST(TrainReportTest, RatesAreDerivedAndFieldsNamed) {
  TrainReport report;
  report.steps = 10;
  report.original_bytes = 3000;
  report.targets = 1000;
  report.seconds = 2;
  report.validations = {{10, 3000, 2.5}};
  report.parameters = {.body = 3, .embedding = 4, .head = 5};
  report.notes = {"a note \xff"};  // whatever a file name held
  const nlohmann::json json = nlohmann::json::parse(report.ToJson());
  EXPECT_EQ(json["original_bytes_per_second"], 1500.0);
  EXPECT_EQ(json["targets_per_second"], 500.0);
  EXPECT_EQ(json["validations"][0]["bits_per_byte"], 2.5);
  EXPECT_EQ(json["parameters"]["total"], 12);
}

TEST(TrainReportTest, NothingDoneHasNoRate) { EXPECT_EQ(TrainReport().original_bytes_per_second(), 0); }

}  // namespace
}  // namespace clm
