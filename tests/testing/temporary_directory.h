// A folder of its own for each test, removed at the end.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/check.h"

namespace clm::testing {

// Where files live in memory, for tests that make and remove many small ones; the usual folder where there is none.
inline std::string MemoryFolder() {
  const std::string shared_memory = "/dev/shm";
  return access(shared_memory.c_str(), W_OK | X_OK) == 0 ? shared_memory
                                                         : std::filesystem::temp_directory_path().string();
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() : TemporaryDirectory(std::filesystem::temp_directory_path().string()) {}
  explicit TemporaryDirectory(const std::string& parent) {
    std::string pattern = parent + "/clm_test_XXXXXX";
    CLM_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string File(absl::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace clm::testing
