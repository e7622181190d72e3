// Sends local files to the server as blobs.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/session.h"
#include "clm/v1/artifact.pb.h"

namespace clm::client {

// Uploads `path` and returns the blob's artifact. A blob of the same content and name is found, not sent again; an
// upload that broke goes on where it stopped (its id is derived from content and name).
absl::StatusOr<v1::Artifact> UploadFile(Session& session, const std::string& path);

}  // namespace clm::client
