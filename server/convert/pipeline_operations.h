// The calls of the service, bound to core/pipeline, core/codec and core/generate.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "clm/v1/server_config.pb.h"
#include "core/artifact/artifact_store.h"
#include "server/metrics/metrics.h"
#include "server/service/operations.h"

namespace clm {

// Uses config.threads, config.device and config.model_memory_bytes. Store and metrics must outlive the result.
absl::StatusOr<std::unique_ptr<Operations>> MakePipelineOperations(const v1::ServerConfig& config, ArtifactStore& store,
                                                                   Metrics& metrics);

// CheckJobSpec (spec_convert.h) with config.allowed_roots. The store must outlive the result.
JobSpecCheck MakeJobSpecCheck(const v1::ServerConfig& config, ArtifactStore& store);

}  // namespace clm
