// A store, a work folder and everything else that an operation runs in, in a folder of the test's own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/clock.h"
#include "core/base/thread_pool.h"
#include "core/pipeline/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() {
    auto store = ArtifactStore::Open(PosixFileSystem(), directory_.File("artifacts"), clock_, {});
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  // Every operation of one test may have a work folder of its own.
  PipelineContext Context(const std::string& work = "work") {
    return PipelineContext{.files = PosixFileSystem(),
                           .store = *store_,
                           .clock = clock_,
                           .threads = threads_,
                           .cancel = cancel_.token(),
                           .progress = [this](const Progress& progress) { phases_.push_back(progress.phase); },
                           .work_folder = directory_.File(work)};
  }

  std::string WriteInput(const std::string& name, const std::string& content) {
    EXPECT_THAT(WriteFileAtomically(PosixFileSystem(), directory_.File(name), content), clm::testing::IsOk());
    return directory_.File(name);
  }

  // Four hundred different sentences as JSONL: enough for every split and for some merges.
  static std::string Sentences() {
    static constexpr const char* kSubjects[] = {"the cat", "a small dog", "every student", "the old sailor"};
    static constexpr const char* kVerbs[] = {"sees", "follows", "remembers", "describes"};
    std::string lines;
    for (int i = 0; i < 400; ++i) {
      absl::StrAppend(&lines, "{\"text\": \"", kSubjects[i % 4], " ", kVerbs[i / 4 % 4], " the ", i,
                      " birds by the river\"}\n");
    }
    return lines;
  }

  clm::testing::TemporaryDirectory directory_;
  FakeClock clock_;
  ThreadPool threads_{2};
  CancellationSource cancel_;
  std::unique_ptr<ArtifactStore> store_;
  std::vector<std::string> phases_;  // of every progress report
};

}  // namespace clm
