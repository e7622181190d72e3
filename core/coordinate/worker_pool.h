// WorkerPool: what threads of a parallel loop work with, made for as many of them as work at once.
//
//   WorkerPool<Sums> sums([] { return Sums(); });
//   pool.ParallelFor(n, cancel, [&](size_t i) { const auto lent = sums.Borrow(); lent->Add(i); ... });
//   for (Sums& each : sums.workers()) total += each;
//
// Who worked with which depends on chance: use it for sums, maxima and room only.
// Thread-safe, but for workers(). Ownership: the pool owns the workers and must outlive what it lends.
#pragma once

#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace clm {

template <typename T>
class WorkerPool {
 public:
  // Gives the worker back at the end of its scope.
  class Lent {
   public:
    Lent(WorkerPool& pool, T& worker) : pool_(pool), worker_(worker) {}
    ~Lent() { pool_.GiveBack(worker_); }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    T& operator*() const { return worker_; }
    T* operator->() const { return &worker_; }

   private:
    WorkerPool& pool_;
    T& worker_;
  };

  explicit WorkerPool(std::function<T()> make) : make_(std::move(make)) {}

  Lent Borrow() ABSL_LOCKS_EXCLUDED(mu_) {
    const absl::MutexLock lock(&mu_);
    if (idle_.empty()) idle_.push_back(&workers_.emplace_back(make_()));
    T* const worker = idle_.back();
    idle_.pop_back();
    return Lent(*this, *worker);
  }

  // Requires that all are given back.
  std::deque<T>& workers() ABSL_NO_THREAD_SAFETY_ANALYSIS { return workers_; }

 private:
  void GiveBack(T& worker) ABSL_LOCKS_EXCLUDED(mu_) {
    const absl::MutexLock lock(&mu_);
    idle_.push_back(&worker);
  }

  const std::function<T()> make_;
  absl::Mutex mu_;
  std::deque<T> workers_ ABSL_GUARDED_BY(mu_);
  std::vector<T*> idle_ ABSL_GUARDED_BY(mu_);
};

}  // namespace clm
