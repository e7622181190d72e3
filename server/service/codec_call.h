// What Encode and Decode need besides their call. Nothing is owned.
#pragma once

#include "server/metrics/metrics.h"
#include "server/service/operations.h"
#include "server/service/server_paths.h"

namespace clm {

struct CodecCall {
  Operations& operations;
  Metrics& metrics;
  const ServerPaths& paths;
};

}  // namespace clm
