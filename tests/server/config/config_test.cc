#include "server/config/config.h"

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  absl::StatusOr<CommandLine> Parse(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv = {"clm_server"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    return ParseCommandLine(static_cast<int>(argv.size()), argv.data(),
                            [this](const std::string& name) -> std::optional<std::string> {
                              const auto found = environment_.find(name);
                              if (found == environment_.end()) return std::nullopt;
                              return found->second;
                            });
  }

  std::string File(const std::string& text) {
    const std::string path = directory_.File("server.txtpb");
    std::ofstream(path) << text;
    return path;
  }

  testing::TemporaryDirectory directory_;
  std::map<std::string, std::string> environment_;
};

TEST_F(ConfigTest, DefaultsAreThoseOfTheContract) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({}));
  EXPECT_EQ(line.action, CommandLine::Action::kRun);
  EXPECT_EQ(line.config.data_dir(), "./var");
  EXPECT_EQ(line.config.listen_address(), "127.0.0.1:50551");
  EXPECT_EQ(line.config.metrics_address(), "127.0.0.1:9464");
  EXPECT_EQ(line.config.max_message_bytes(), 4194304u);
  EXPECT_EQ(line.config.max_upload_bytes(), uint64_t{64} << 30);
  EXPECT_EQ(line.config.max_queued_jobs(), 64u);
  EXPECT_EQ(line.config.max_running_jobs(), 1u);
  EXPECT_EQ(line.config.max_concurrent_calls(), 8u);
  EXPECT_EQ(line.config.default_deadline_seconds(), 3600u);
  EXPECT_EQ(line.config.idle_timeout_seconds(), 300u);
  EXPECT_EQ(line.config.drain_seconds(), 20u);
  EXPECT_EQ(line.config.log_level(), "info");
  EXPECT_EQ(line.config.model_memory_bytes(), uint64_t{4} << 30);
  EXPECT_EQ(line.config.device(), "auto");
  EXPECT_EQ(line.config.max_job_resumes(), 3u);
  EXPECT_EQ(line.config.allowed_roots_size(), 0);
  for (const auto& [field, source] : line.sources) EXPECT_EQ(source, "default") << field;
}

TEST_F(ConfigTest, TheExampleShowsTheDefaults) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"--config", CLM_EXAMPLE_CONFIG}));
  EXPECT_EQ(line.config.SerializeAsString(), DefaultConfig().SerializeAsString());
}

TEST_F(ConfigTest, LaterSourcesWin) {
  const std::string file = File("max_queued_jobs: 2 max_running_jobs: 2 drain_seconds: 2 threads: 2");
  environment_ = {{"CLM_MAX_RUNNING_JOBS", "3"}, {"CLM_DRAIN_SECONDS", "3"}, {"CLM_DEPS_DIR", "/not/ours"}};
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"--config", file, "--drain_seconds=4"}));
  EXPECT_EQ(line.config.max_concurrent_calls(), 8u);
  EXPECT_EQ(line.config.max_queued_jobs(), 2u);
  EXPECT_EQ(line.config.max_running_jobs(), 3u);
  EXPECT_EQ(line.config.drain_seconds(), 4u);
  EXPECT_EQ(line.sources.at("max_concurrent_calls"), "default");
  EXPECT_EQ(line.sources.at("max_queued_jobs"), "file " + file);
  EXPECT_EQ(line.sources.at("max_running_jobs"), "environment CLM_MAX_RUNNING_JOBS");
  EXPECT_EQ(line.sources.at("drain_seconds"), "flag --drain_seconds");
}

TEST_F(ConfigTest, ZeroInTheFileIsAValue) {
  const std::string file = File("drain_seconds: 0 max_job_resumes: 0 metrics_address: ''");
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"--config", file}));
  EXPECT_EQ(line.config.drain_seconds(), 0u);
  EXPECT_EQ(line.config.max_job_resumes(), 0u);
  EXPECT_EQ(line.config.metrics_address(), "");
}

TEST_F(ConfigTest, EmptyFlagIsAValueAndTakesNoOther) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, Parse({"--metrics_address=", "--threads=3"}));
  EXPECT_EQ(line.config.metrics_address(), "");
  EXPECT_EQ(line.sources.at("metrics_address"), "flag --metrics_address");
  EXPECT_EQ(line.config.threads(), 3u);
}

TEST_F(ConfigTest, ListsComeFromEverySource) {
  ASSERT_OK_AND_ASSIGN(CommandLine line, Parse({"--config", File("allowed_roots: '/a' allowed_roots: '/b'")}));
  EXPECT_THAT(line.config.allowed_roots(), ElementsAre("/a", "/b"));
  environment_["CLM_ALLOWED_ROOTS"] = "/c,/d";
  ASSERT_OK_AND_ASSIGN(line, Parse({"--config", File("allowed_roots: '/a'")}));
  EXPECT_THAT(line.config.allowed_roots(), ElementsAre("/c", "/d"));
  ASSERT_OK_AND_ASSIGN(line, Parse({"--allowed_roots=/e", "--allowed_roots", "/f"}));
  EXPECT_THAT(line.config.allowed_roots(), ElementsAre("/e", "/f"));
}

TEST_F(ConfigTest, EveryFieldHasAFlagAndAVariable) {
  const auto& descriptor = *v1::ServerConfig::descriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const auto& field = *descriptor.field(i);
    const std::string name = field.name();
    std::string value = "70000";
    if (field.cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
      value = absl::EndsWith(name, "_address") ? "h:1"
              : name == "device"               ? "cpu"
              : name == "log_level"            ? "error"
                                               : "/x";
    } else if (name == "max_running_jobs" || name == "max_job_resumes" || name == "threads") {
      value = "7";
    } else if (name == "max_concurrent_calls" || name == "drain_seconds") {
      value = "70";
    }
    environment_.clear();
    ASSERT_OK_AND_ASSIGN(const CommandLine flag, Parse({absl::StrCat("--", name, "=", value)}));
    EXPECT_EQ(flag.sources.at(name), "flag --" + name);
    environment_[absl::StrCat("CLM_", absl::AsciiStrToUpper(name))] = value;
    ASSERT_OK_AND_ASSIGN(const CommandLine variable, Parse({}));
    EXPECT_EQ(variable.config.SerializeAsString(), flag.config.SerializeAsString()) << name;
    EXPECT_NE(variable.config.SerializeAsString(), DefaultConfig().SerializeAsString()) << name;
  }
}

TEST_F(ConfigTest, UnknownThingsAreErrors) {
  EXPECT_THAT(
      Parse({"--config", File("data_dir: 'x'\nno_such_field: 1")}),
      StatusIs(absl::StatusCode::kInvalidArgument, ::testing::AllOf(HasSubstr("no_such_field"), HasSubstr("line 2"))));
  EXPECT_THAT(Parse({"--no_such_flag=1"}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no_such_flag")));
  EXPECT_THAT(Parse({"stray"}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Parse({"--config", directory_.File("missing")}), StatusIs(absl::StatusCode::kNotFound));
  environment_["CLM_THREADS"] = "many";
  EXPECT_THAT(Parse({}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("CLM_THREADS: threads: many")));
}

TEST_F(ConfigTest, RangesAreInclusiveAndNamed) {
  struct Case {
    const char* field;
    const char* good;
    const char* bad;
  };
  for (const Case& one : std::vector<Case>{{"max_message_bytes", "65536", "65535"},
                                           {"max_message_bytes", "268435456", "268435457"},
                                           {"max_queued_jobs", "1", "0"},
                                           {"max_queued_jobs", "100000", "100001"},
                                           {"max_running_jobs", "64", "65"},
                                           {"max_concurrent_calls", "1024", "1025"},
                                           {"max_job_resumes", "100", "101"},
                                           {"idle_timeout_seconds", "1", "0"},
                                           {"max_upload_bytes", "1", "0"},
                                           {"log_level", "debug", "loud"},
                                           {"device", "cuda", "tpu"},
                                           {"listen_address", "[::1]:0", "localhost"},
                                           {"listen_address", "h:65535", "h:65536"},
                                           {"listen_address", "[::1]:50", "::1:50"},
                                           {"listen_address", "[fe80::1%eth0]:50", "[::1:50"},
                                           {"listen_address", "h:50", "[]:50"},
                                           {"listen_address", "1.2.3.4:50", "::1]:50"},
                                           {"metrics_address", "[::]:9464", "::9464"},
                                           {"metrics_address", "h:1", "h:x"},
                                           {"allowed_roots", "/data", "data"},
                                           {"writable_roots", "/data", "data"},
                                           {"data_dir", "x", ""}}) {
    EXPECT_OK(Parse({absl::StrCat("--", one.field, "=", one.good)})) << one.field << " " << one.good;
    EXPECT_THAT(Parse({absl::StrCat("--", one.field, "=", one.bad)}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(one.field)))
        << one.field << " " << one.bad;
  }
}

TEST_F(ConfigTest, PrintedConfigShowsSourcesAndIsAConfig) {
  environment_["CLM_THREADS"] = "2";
  ASSERT_OK_AND_ASSIGN(const CommandLine printed, Parse({"--print_config", "--device=cpu", "--allowed_roots=/a,/b"}));
  EXPECT_EQ(printed.action, CommandLine::Action::kPrint);
  EXPECT_THAT(printed.text, HasSubstr("threads: 2  # environment CLM_THREADS\n"));
  EXPECT_THAT(printed.text, HasSubstr("device: \"cpu\"  # flag --device\n"));
  EXPECT_THAT(printed.text, HasSubstr("data_dir: \"./var\"  # default\n"));
  environment_.clear();
  ASSERT_OK_AND_ASSIGN(const CommandLine again, Parse({"--config", File(printed.text)}));
  EXPECT_EQ(again.config.threads(), 2u);
  EXPECT_EQ(again.config.device(), "cpu");
  EXPECT_THAT(again.config.allowed_roots(), ElementsAre("/a", "/b"));
}

TEST_F(ConfigTest, HelpSaysWhatEachFieldIs) {
  const std::string help = Parse({"--help"})->text;
  const auto& descriptor = *v1::ServerConfig::descriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const std::string& name = descriptor.field(i)->name();
    const size_t at = help.find("--" + name + " ");
    ASSERT_NE(at, std::string::npos) << name;
    // A field without a row in the table of help shows its range or its default first.
    const std::string entry = help.substr(at, help.find("Variable CLM_", at) - at);
    const size_t text = entry.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ", entry.find(' ') + 7);
    ASSERT_NE(text, std::string::npos) << name;
    EXPECT_NE(entry.substr(text, 6), "Range ") << name;
    EXPECT_NE(entry.substr(text, 8), "Default ") << name;
  }
  EXPECT_THAT(help, HasSubstr("Jobs that may wait. Range [1, 100000]. Default 64. Variable CLM_MAX_QUEUED_JOBS."));
  EXPECT_THAT(help, HasSubstr("Default \"./var\". Variable CLM_DATA_DIR."));
}

TEST_F(ConfigTest, ActionsAreToldApart) {
  EXPECT_EQ(Parse({"--check_config"})->action, CommandLine::Action::kCheckConfig);
  EXPECT_THAT(Parse({"--help"})->text, HasSubstr("--max_queued_jobs"));
  EXPECT_THAT(Parse({"--version"})->text, HasSubstr("clm_server"));
  EXPECT_THAT(Parse({"--check_config", "--threads=5000"}), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace clm
