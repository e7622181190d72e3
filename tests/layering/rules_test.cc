// The rules, held against trees made up here: what each one refuses and what it lets through.
#include "tests/layering/rules.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/layering/source_tree.h"
#include "tests/testing/temporary_directory.h"

namespace clm::layering {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RulesTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = std::filesystem::path(root_.path()) / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void Includes(const std::string& path, const std::string& include) { Write(path, "#include \"" + include + "\"\n"); }
  std::vector<std::string> Run(std::vector<Finding> (*check)(const SourceTree&)) {
    std::vector<std::string> messages;
    for (const Finding& finding : check(SourceTree(root_.path()))) messages.push_back(ToString(finding));
    return messages;
  }

 private:
  clm::testing::TemporaryDirectory root_;
};

TEST_F(RulesTest, AnArrowUpIsFoundWithItsLine) {
  Write("core/entropy/cdf.h", "// About.\n\n#include \"core/predict/count.h\"\n");
  EXPECT_THAT(Run(CheckArrows), ElementsAre("core/entropy/cdf.h:3: must not include core/predict/count.h"));
}

TEST_F(RulesTest, ArrowsDownAreAllowed) {
  Includes("core/predict/count.h", "core/entropy/cdf.h");
  Includes("core/entropy/cdf.h", "core/base/types.h");
  Includes("core/pipeline/prepare.cc", "core/tokenizer/bpe_vocab.h");
  Includes("core/entropy/rans.h", "core/entropy/cdf.h");
  EXPECT_THAT(Run(CheckArrows), IsEmpty());
}

TEST_F(RulesTest, ANeighbourThatIsNotInTheTableIsRefused) {
  Includes("core/codec/frame.h", "core/data/batch.h");
  EXPECT_THAT(Run(CheckArrows), ElementsAre("core/codec/frame.h:1: must not include core/data/batch.h"));
}

TEST_F(RulesTest, ModelSeesOnlyTheVocabularyLayoutOfRepresentation) {
  Includes("core/model/a.h", "core/representation/vocab_layout.h");
  Includes("core/model/b.h", "core/representation/registry.h");
  EXPECT_THAT(Run(CheckArrows), ElementsAre("core/model/b.h:1: must not include core/representation/registry.h"));
}

TEST_F(RulesTest, AFolderOutsideTheTableIsRefused) {
  Write("core/misc/a.h", "");
  EXPECT_THAT(Run(CheckArrows), ElementsAre("core/misc/a.h: core/misc is not in the table of layers"));
}

TEST_F(RulesTest, CoreKnowsNeitherGrpcNorMessagesNorProgramsNorTests) {
  Write("core/base/a.h",
        "#include <grpcpp/grpcpp.h>\n#include \"clm/v1/job.pb.h\"\n#include <google/protobuf/message.h>\n"
        "#include \"server/server.h\"\n#include \"client/render.h\"\n#include \"tests/testing/x.h\"\n");
  EXPECT_EQ(Run(CheckArrows).size(), 6U);
}

TEST_F(RulesTest, TheServerReachesCoreThroughPipelineOnly) {
  Includes("server/service/a.cc", "core/pipeline/prepare.h");
  Includes("server/service/b.cc", "core/codec/frame.h");
  Includes("server/convert/c.cc", "core/codec/frame.h");
  Includes("server/worker/d.cc", "core/train/train_config.h");
  Includes("server/job/e.cc", "client/render.h");
  EXPECT_THAT(Run(CheckArrows), ElementsAre("server/job/e.cc:1: must not include client/render.h",
                                            "server/service/b.cc:1: must not include core/codec/frame.h"));
}

TEST_F(RulesTest, TheClientSeesMessagesAndBase) {
  Includes("client/a.cc", "clm/v1/service.grpc.pb.h");
  Includes("client/b.cc", "core/base/units.h");
  Includes("client/c.cc", "core/pipeline/prepare.h");
  Includes("client/d.cc", "server/server.h");
  EXPECT_THAT(Run(CheckArrows), ElementsAre("client/c.cc:1: must not include core/pipeline/prepare.h",
                                            "client/d.cc:1: must not include server/server.h"));
}

TEST_F(RulesTest, LibTorchOutsideItsFoldersIsFound) {
  Write("core/eval/a.cc", "#include <torch/torch.h>\n");
  Write("core/model/b.h", "#include <ATen/ATen.h>\n");
  Write("tests/core/train/c_test.cc", "#include <torch/torch.h>\n");
  EXPECT_THAT(Run(CheckTorch), ElementsAre("core/eval/a.cc:1: must not include LibTorch: torch/torch.h",
                                           "core/eval/a.cc: reaches LibTorch: torch/torch.h"));
}

TEST_F(RulesTest, LibTorchSecondHandIsFoundInHeadersAndPrograms) {
  Write("core/model/model.h", "#include <torch/torch.h>\n");
  Includes("core/model/checkpoint.h", "core/model/model.h");
  Includes("core/pipeline/train.cc", "core/model/checkpoint.h");  // a source of pipeline may
  Includes("core/pipeline/train.h", "core/model/checkpoint.h");
  Includes("server/main.cc", "core/pipeline/train.h");
  EXPECT_THAT(
      Run(CheckTorch),
      ElementsAre(
          "core/pipeline/train.h: reaches LibTorch: core/model/checkpoint.h > core/model/model.h > torch/torch.h",
          "server/main.cc: reaches LibTorch: core/pipeline/train.h > core/model/checkpoint.h > "
          "core/model/model.h > torch/torch.h"));
}

TEST_F(RulesTest, HeadersThatIncludeEachOtherEndTheSearch) {
  Includes("core/base/a.h", "core/base/b.h");
  Includes("core/base/b.h", "core/base/a.h");
  EXPECT_THAT(Run(CheckTorch), IsEmpty());
}

TEST_F(RulesTest, ABuiltAndTestedSourcePasses) {
  Write("core/base/rng.cc", "");
  Write("core/base/CMakeLists.txt", "clm_library(base\n  SOURCES rng.cc)\n");
  Write("tests/core/base/rng_test.cc", "");
  Write("tests/core/base/CMakeLists.txt", "clm_test(base SOURCES rng_test.cc DEPS clm::base)\n");
  EXPECT_THAT(Run(CheckTestsExist), IsEmpty());
}

TEST_F(RulesTest, ASourceInASubfolderIsListedByItsFolderAbove) {
  Write("core/model/gru/cell.cc", "");
  Write("core/model/CMakeLists.txt", "clm_library(model SOURCES gru/cell.cc)\n");
  Write("tests/core/model/gru/cell_test.cc", "");
  Write("tests/core/model/CMakeLists.txt", "clm_test(model SOURCES gru/cell_test.cc)\n");
  EXPECT_THAT(Run(CheckTestsExist), IsEmpty());
}

TEST_F(RulesTest, ASourceWithoutTestOrBuildIsFound) {
  Write("core/base/rng.cc", "");
  Write("core/base/CMakeLists.txt", "clm_library(base SOURCES my_rng.cc rng.cco)\n");
  EXPECT_THAT(Run(CheckTestsExist), ElementsAre("core/base/rng.cc: no CMakeLists.txt builds this source",
                                                "core/base/rng.cc: has no test tests/core/base/rng_test.cc"));
}

TEST_F(RulesTest, ATestThatIsNotBuiltIsFound) {
  Write("tests/server/job_test.cc", "");
  EXPECT_THAT(Run(CheckTestsExist), ElementsAre("tests/server/job_test.cc: no CMakeLists.txt builds this test"));
}

TEST_F(RulesTest, TheLineAboveTheLimitIsOneTooMany) {
  std::string lines;
  for (int i = 0; i < 400; ++i) lines += "\n";
  Write("core/base/fits.h", lines);
  Write("core/base/long.h", lines + "\n");
  Write("core/base/fits.cc", lines + "\n");
  EXPECT_THAT(Run(CheckSizes), ElementsAre("core/base/long.h: has 401 lines, the limit is 400"));
}

TEST_F(RulesTest, OnlyTheFileSeamRenames) {
  Write("core/base/file_io.cc", "rename(a, b);\n");
  Write("core/artifact/store.cc", "files.Rename(a, b);\n// rename(a, b) is not called\n/* rename(c,\nrename(d */\n");
  Write("server/job/a.cc", "\nstd::filesystem::rename(a, b);\n");
  EXPECT_THAT(Run(CheckFileSeam), ElementsAre("server/job/a.cc:2: renames a file past core/base/file_io.h"));
}

TEST(WithoutCommentsTest, StringsAreNoComments) {
  bool in_block = false;
  EXPECT_EQ(WithoutComments(R"(Get("http://x"); // y)", in_block), R"(Get("http://x"); )");
  EXPECT_EQ(WithoutComments(R"(Get("a\"//b"); /* c */ d)", in_block), R"(Get("a\"//b");  d)");
  EXPECT_EQ(WithoutComments("1'000; // y", in_block), "1'000; ");
  EXPECT_EQ(WithoutComments("'\"'; // y", in_block), "'\"'; ");
  EXPECT_FALSE(in_block);
}

}  // namespace
}  // namespace clm::layering
