// ThreadTeam: threads that do short pieces of work together many thousand times a second.
//
// A thread pool hands work over in tens of microseconds; one step of a small model lasts hundreds. So the team's
// threads watch a counter for a while after each piece, then sleep until the next one comes.
//
// On a machine that others use, threads that wait for each other in every step wait for the scheduler most of the time.
// The team notices that and says that one thread is enough for a while; results never depend on the number.
//
// Thread-safety: Run() from one thread at a time. Barriers only inside a Run(), reached by every thread equally often.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"

namespace clm {

class ThreadTeam {
 public:
  // Starts threads - 1 threads (fewer when the system refuses more). Requires threads >= 1.
  explicit ThreadTeam(size_t threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  size_t size() const { return workers_.size() + 1; }
  // How many threads the next piece should be cut for: size(), or 1 while waiting for others would take longer.
  size_t UsefulThreads();

  // Calls work(0) on the calling thread and work(1) .. work(count - 1) on others; returns when all have ended. A single
  // piece wakes nobody. Requires 1 <= count <= size().
  void Run(size_t count, absl::FunctionRef<void(size_t thread)> work);
  // Waits until every thread of the running work is here; what they wrote before is visible afterwards.
  void Barrier();

 private:
  void Serve(size_t thread);
  void Judge(std::chrono::nanoseconds worked, std::chrono::nanoseconds waited);

  static constexpr int kFirstAlone = 256;
  static constexpr int kMostAlone = 8192;

  alignas(64) std::atomic<uint32_t> round_{0};    // pieces of work handed out
  alignas(64) std::atomic<uint32_t> ended_{0};    // threads that finished the current one
  alignas(64) std::atomic<uint32_t> arrived_{0};  // threads at the barrier
  alignas(64) std::atomic<uint32_t> phase_{0};    // barriers passed
  const absl::FunctionRef<void(size_t)>* work_ = nullptr;
  size_t count_ = 1;  // threads of the current piece
  int slow_ = 0;      // pieces that took longer together than alone, less those that did not
  int alone_ = 0;     // pieces still to do on one thread
  int alone_next_ = kFirstAlone;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace clm
