#include "core/engine/thread_team.h"

#include <algorithm>
#include <system_error>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace clm {
namespace {

// About 50 microseconds of watching before a thread gives up its processor.
constexpr int kSpins = 2000;
constexpr int kYields = 20;

constexpr int kSlowPieces = 4;
constexpr std::chrono::microseconds kUsualWait(100);

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#endif
}

// Returns once `value` is no longer `old`.
void AwaitChange(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    Pause();
  }
  for (int i = 0; i < kYields; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    std::this_thread::yield();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadTeam::ThreadTeam(size_t threads) {
  for (size_t i = 1; i < threads; ++i) {
    try {
      workers_.emplace_back([this, i] { Serve(i); });
    } catch (const std::system_error&) {
      break;
    }
  }
}

ThreadTeam::~ThreadTeam() {
  stop_ = true;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadTeam::Run(size_t count, absl::FunctionRef<void(size_t)> work) {
  count_ = count;
  if (count == 1) {
    work(0);
    return;
  }
  work_ = &work;
  ended_.store(0, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  const auto start = std::chrono::steady_clock::now();
  work(0);
  const auto worked = std::chrono::steady_clock::now();
  const auto others = static_cast<uint32_t>(workers_.size());
  for (uint32_t ended = ended_.load(std::memory_order_acquire); ended != others;
       ended = ended_.load(std::memory_order_acquire)) {
    AwaitChange(ended_, ended);
  }
  Judge(worked - start, std::chrono::steady_clock::now() - worked);
}

// Waiting for longer than the whole piece would have taken alone.
void ThreadTeam::Judge(std::chrono::nanoseconds worked, std::chrono::nanoseconds waited) {
  const bool is_slow = waited > kUsualWait + static_cast<int>(count_ - 1) * worked;
  slow_ = std::max(0, slow_ + (is_slow ? 1 : -1));
  if (slow_ < kSlowPieces) {
    if (slow_ == 0 && !is_slow) alone_next_ = kFirstAlone;
    return;
  }
  slow_ = 0;
  alone_ = alone_next_;
  alone_next_ = std::min(2 * alone_next_, kMostAlone);
}

size_t ThreadTeam::UsefulThreads() {
  if (alone_ == 0) return size();
  --alone_;
  return 1;
}

void ThreadTeam::Serve(size_t thread) {
  uint32_t seen = 0;
  while (true) {
    AwaitChange(round_, seen);
    ++seen;
    if (stop_) return;
    if (thread < count_) (*work_)(thread);
    ended_.fetch_add(1, std::memory_order_release);
    ended_.notify_one();
  }
}

void ThreadTeam::Barrier() {
  if (count_ == 1) return;
  const uint32_t phase = phase_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) == count_ - 1) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.fetch_add(1, std::memory_order_release);
    phase_.notify_all();
    return;
  }
  AwaitChange(phase_, phase);
}

}  // namespace clm
