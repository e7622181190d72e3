// PipelineContext: what every operation runs in.
#pragma once

#include <string>

#include "core/artifact/artifact_store.h"
#include "core/base/cancellation.h"
#include "core/base/clock.h"
#include "core/base/file_io.h"
#include "core/base/progress.h"
#include "core/base/thread_pool.h"

namespace clm {

// References must outlive the operation. Thread-safety: a context belongs to one operation.
struct PipelineContext {
  FileSystem& files;
  ArtifactStore& store;
  const Clock& clock;
  ThreadPool& threads;
  CancellationToken cancel;
  ProgressSink progress;  // may be empty
  // A folder of the operation's own that survives restarts; what it holds speeds up a second attempt.
  std::string work_folder;

  void Report(const Progress& update) const {
    if (progress) progress(update);
  }
};

}  // namespace clm
