// The compiled contract against the snapshot in tests/golden/proto/clm_v1.txt: clients and stored data rely on numbers,
// names and types, so a change of them must be seen in review.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "clm/v1/artifact.pb.h"
#include "clm/v1/codec.pb.h"
#include "clm/v1/error_detail.pb.h"
#include "clm/v1/evaluate.pb.h"
#include "clm/v1/generate.pb.h"
#include "clm/v1/job.pb.h"
#include "clm/v1/prepare.pb.h"
#include "clm/v1/server_config.pb.h"
#include "clm/v1/service.pb.h"
#include "clm/v1/trace.pb.h"
#include "clm/v1/train.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/proto/contract_description.h"

namespace clm::testing {
namespace {

using ::testing::IsEmpty;

constexpr char kSnapshot[] = CLM_GOLDEN_DIRECTORY "/clm_v1.txt";
constexpr char kRegenerate[] =
    "To take the new contract as the snapshot: CLM_UPDATE_GOLDEN=1 clm_proto_test, then review the diff.";

// Touches one message per file, so that a linker cannot leave a file's descriptors out.
void LinkAllFiles() {
  v1::Artifact::descriptor();
  v1::EncodeRequest::descriptor();
  v1::ErrorInfo::descriptor();
  v1::EvaluateSpec::descriptor();
  v1::GenerateRequest::descriptor();
  v1::Job::descriptor();
  v1::PrepareSpec::descriptor();
  v1::ServerConfig::descriptor();
  v1::Capabilities::descriptor();
  v1::TraceRequest::descriptor();
  v1::TrainSpec::descriptor();
}

std::vector<std::string> CompiledContract() {
  LinkAllFiles();
  std::vector<std::string> lines;
  for (const std::string& name : ContractFiles()) {
    const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    EXPECT_NE(file, nullptr) << name;
    if (file == nullptr) continue;
    for (std::string& line : DescribeFile(*file)) lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> Snapshot() {
  std::ifstream in(kSnapshot);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Lines of `from` that `in` lacks.
std::vector<std::string> Missing(const std::vector<std::string>& from, const std::vector<std::string>& in) {
  const std::set<std::string> present(in.begin(), in.end());
  std::vector<std::string> missing;
  std::copy_if(from.begin(), from.end(), std::back_inserter(missing),
               [&](const std::string& line) { return present.count(line) == 0; });
  return missing;
}

TEST(ContractTest, CompiledDescriptorsAgreeWithTheSnapshot) {
  const std::vector<std::string> compiled = CompiledContract();
  if (std::getenv("CLM_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(kSnapshot) << absl::StrJoin(compiled, "\n") << "\n";
    GTEST_SKIP() << "wrote " << kSnapshot;
  }
  const std::vector<std::string> snapshot = Snapshot();
  ASSERT_FALSE(snapshot.empty()) << "cannot read " << kSnapshot << ". " << kRegenerate;
  EXPECT_THAT(Missing(snapshot, compiled), IsEmpty())
      << "BREAKING: removed, renumbered, renamed or retyped. Old clients and stored jobs rely on these lines. "
      << kRegenerate;
  EXPECT_THAT(Missing(compiled, snapshot), IsEmpty()) << "Added, not yet in the snapshot. " << kRegenerate;
}

TEST(ContractTest, DescriptionTellsEveryKindOfChangeApart) {
  const auto* file = v1::TrainSpec::descriptor()->file();
  const std::vector<std::string> lines = DescribeFile(*file);
  EXPECT_THAT(lines, ::testing::IsSupersetOf({"message clm.v1.TrainSpec", "field clm.v1.TrainSpec 1 corpus: string",
                                              "field clm.v1.TrainSpec 3 model: clm.v1.ModelOptions",
                                              "field clm.v1.ModelOptions 7 tie_embeddings: optional bool",
                                              "field clm.v1.TrainResult 9 curve: repeated clm.v1.TrainPoint"}));
  EXPECT_THAT(DescribeFile(*v1::EncodeRequest::descriptor()->file()),
              ::testing::IsSupersetOf({"field clm.v1.EncodeRequest 2 data: bytes (oneof part)",
                                       "value clm.v1.VerifyMode 1 VERIFY_MODE_FULL"}));
  EXPECT_THAT(DescribeFile(*v1::Capabilities::descriptor()->file()),
              ::testing::IsSupersetOf({"rpc clm.v1.CompressionService Encode: stream clm.v1.EncodeRequest -> stream "
                                       "clm.v1.EncodeResponse",
                                       "rpc clm.v1.CompressionService Generate: clm.v1.GenerateRequest -> stream "
                                       "clm.v1.GenerateResponse"}));
  EXPECT_THAT(DescribeFile(*v1::Artifact::descriptor()->file()),
              ::testing::Contains("field clm.v1.Artifact 6 attributes: map<string, string>"));
}

}  // namespace
}  // namespace clm::testing
