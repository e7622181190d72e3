// Flags shared by the commands that start jobs or name documents.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "client/job_watch.h"
#include "client/session.h"
#include "clm/v1/prepare.pb.h"

namespace clm::client {

// --request-id, --name, --detach.
void AddSubmitFlags(CLI::App& command, SubmitOptions& options);

// Where documents come from, as flags.
struct SourceFlags {
  std::vector<std::string> files;         // local files, uploaded first
  std::vector<std::string> server_paths;  // read by the server itself
  std::vector<std::string> artifacts;     // blobs that are there already
  std::string text_field = "text";
  std::string rule = "file";
  uint64_t max_bad_lines = 0;
  uint64_t max_documents = 0;

  bool empty() const { return files.empty() && server_paths.empty() && artifacts.empty(); }
};

void AddSourceFlags(CLI::App& command, SourceFlags& flags);

// Uploads what is local and says where everything is.
absl::StatusOr<v1::DocumentSource> MakeSource(Session& session, const SourceFlags& flags);

}  // namespace clm::client
