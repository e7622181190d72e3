// ThreadPool: a fixed number of threads for data-parallel work.
//
// Results must not depend on the number of threads: split work by index, write results by index, reduce in index order.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"

namespace clm {

// Thread-safe: ParallelFor may be called from several threads at once. A task must not call ParallelFor on its own
// pool.
class ThreadPool {
 public:
  // `threads` >= 1; 1 runs everything on the caller's thread. Fewer are started when the system refuses more.
  explicit ThreadPool(size_t threads);
  ~ThreadPool();  // waits for running tasks
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  size_t threads() const;

  // Calls task(0) .. task(count - 1), each once, in any order, on the pool and the calling thread; returns when all
  // have ended. After a failure or a cancellation no new task starts; the error of the lowest failed index is returned.
  absl::Status ParallelFor(size_t count, const CancellationToken& cancel,
                           const std::function<absl::Status(size_t)>& task);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Hardware threads this process may use (affinity and cgroup aware), at least 1.
size_t AvailableThreads();
// Whole processors, rounded up, that a cgroup v2 "cpu.max" file allows; SIZE_MAX for "max" or unreadable text.
size_t QuotaThreads(absl::string_view cpu_max);

}  // namespace clm
