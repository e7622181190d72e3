// A folder of its own for each test, removed at the end.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/string_view.h"
#include "core/base/check.h"

namespace clm::testing {

// Where files live in memory, so that no test waits for a disk at each fsync. The usual folder where TMPDIR names one,
// or where less than a gigabyte is free in memory (containers give /dev/shm 64 MB).
inline std::string MemoryFolder() {
  const std::string shared_memory = "/dev/shm";
  constexpr uintmax_t kEnough = uintmax_t{1} << 30;
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(shared_memory, error);
  const bool usable = !error && space.available >= kEnough && access(shared_memory.c_str(), W_OK | X_OK) == 0;
  return usable && std::getenv("TMPDIR") == nullptr ? shared_memory : std::filesystem::temp_directory_path().string();
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() : TemporaryDirectory(MemoryFolder()) {}
  // For what shall lie on a disk.
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
