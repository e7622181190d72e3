// A file written without syncing, for tests that write hundreds of them.
#pragma once

#include <string>

#include "core/base/file_io.h"
#include "core/base/status_macros.h"

namespace clm::testing {

inline absl::Status PlainWrite(FileSystem& files, const std::string& path, absl::string_view content) {
  CLM_ASSIGN_OR_RETURN(const auto file, files.Create(path));
  CLM_RETURN_IF_ERROR(file->Append(content));
  return file->Close();
}

}  // namespace clm::testing
