#include "core/base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "core/base/check.h"
#include "core/base/log.h"

namespace clm {
namespace {

constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();

// One ParallelFor: tasks are taken in index order by whoever is free.
class Job {
 public:
  Job(size_t count, const CancellationToken& cancel, const std::function<absl::Status(size_t)>& task)
      : count_(count), cancel_(cancel), task_(task) {}

  // Runs tasks until none is left to start.
  void Work() {
    while (!stopped_.load(std::memory_order_relaxed)) {
      const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
      if (index >= count_) return;
      absl::Status status = cancel_.Check();
      if (status.ok()) status = task_(index);
      if (!status.ok()) Fail(index, std::move(status));
    }
  }

  absl::Status status() {
    absl::MutexLock lock(&mu_);
    return status_;
  }

 private:
  void Fail(size_t index, absl::Status status) {
    stopped_.store(true, std::memory_order_relaxed);
    absl::MutexLock lock(&mu_);
    if (index < failed_index_) {
      failed_index_ = index;
      status_ = std::move(status);
    }
  }

  const size_t count_;
  const CancellationToken& cancel_;
  const std::function<absl::Status(size_t)>& task_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> stopped_{false};
  absl::Mutex mu_;
  size_t failed_index_ ABSL_GUARDED_BY(mu_) = std::numeric_limits<size_t>::max();
  absl::Status status_ ABSL_GUARDED_BY(mu_);
};

size_t AffinityThreads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return static_cast<size_t>(std::max(CPU_COUNT(&set), 1));
  return std::max<size_t>(std::thread::hardware_concurrency(), 1);
}

// The tightest quota of this process's cgroup and those above it.
size_t CgroupThreads() {
  size_t threads = kUnlimited;
  std::string folder;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (absl::StartsWith(line, "0::")) folder = line.substr(3);
  }
  while (true) {
    std::string cpu_max;
    std::ifstream file(absl::StrCat("/sys/fs/cgroup", folder, "/cpu.max"));
    if (std::getline(file, cpu_max)) threads = std::min(threads, QuotaThreads(cpu_max));
    if (folder.empty()) return threads;
    folder.resize(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/'));
  }
}

}  // namespace

struct ThreadPool::State {
  // A helper that one thread may give to one job. `job` is gone when its ParallelFor returned, so helpers that did not
  // start by then are withdrawn.
  struct Ticket {
    Job* job;
  };

  absl::Mutex mu;
  std::deque<Ticket> tickets ABSL_GUARDED_BY(mu);
  std::vector<Job*> running ABSL_GUARDED_BY(mu);
  bool stopping ABSL_GUARDED_BY(mu) = false;
  std::vector<std::thread> threads;

  void Run() {
    while (true) {
      Job* job = nullptr;
      {
        absl::MutexLock lock(&mu);
        mu.Await(absl::Condition(
            +[](State* state)
                 ABSL_EXCLUSIVE_LOCKS_REQUIRED(state->mu) { return state->stopping || !state->tickets.empty(); },
            this));
        if (tickets.empty()) return;
        job = tickets.front().job;
        tickets.pop_front();
        running.push_back(job);
      }
      job->Work();
      absl::MutexLock lock(&mu);
      running.erase(std::find(running.begin(), running.end(), job));
    }
  }

  // Withdraws what has not started of `job` and waits for what has.
  void Retire(Job* job) {
    struct Wait {
      State* state;
      Job* job;
    } wait{this, job};
    absl::MutexLock lock(&mu);
    tickets.erase(std::remove_if(tickets.begin(), tickets.end(), [job](const Ticket& t) { return t.job == job; }),
                  tickets.end());
    mu.Await(absl::Condition(
        +[](Wait* w) ABSL_EXCLUSIVE_LOCKS_REQUIRED(w->state->mu) {
          return std::find(w->state->running.begin(), w->state->running.end(), w->job) == w->state->running.end();
        },
        &wait));
  }
};

ThreadPool::ThreadPool(size_t threads) : state_(std::make_unique<State>()) {
  CLM_CHECK(threads >= 1);
  try {
    for (size_t i = 1; i < threads; ++i) state_->threads.emplace_back([state = state_.get()] { state->Run(); });
  } catch (const std::system_error& error) {
    Log(LogLevel::kWarning, "fewer threads than asked for",
        {{"wanted", threads}, {"started", this->threads()}, {"reason", error.what()}});
  }
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&state_->mu);
    state_->stopping = true;
  }
  for (std::thread& thread : state_->threads) thread.join();
}

size_t ThreadPool::threads() const { return state_->threads.size() + 1; }

absl::Status ThreadPool::ParallelFor(size_t count, const CancellationToken& cancel,
                                     const std::function<absl::Status(size_t)>& task) {
  Job job(count, cancel, task);
  const size_t helpers = std::min(state_->threads.size(), count > 0 ? count - 1 : 0);
  {
    absl::MutexLock lock(&state_->mu);
    for (size_t i = 0; i < helpers; ++i) state_->tickets.push_back({&job});
  }
  job.Work();
  state_->Retire(&job);
  return job.status();
}

size_t QuotaThreads(absl::string_view cpu_max) {
  const std::vector<absl::string_view> parts = absl::StrSplit(cpu_max, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  uint64_t quota = 0;
  uint64_t period = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &quota) || !absl::SimpleAtoi(parts[1], &period))
    return kUnlimited;
  if (quota == 0 || period == 0) return kUnlimited;
  return static_cast<size_t>(quota / period + (quota % period != 0 ? 1 : 0));
}

size_t AvailableThreads() { return std::min(AffinityThreads(), CgroupThreads()); }

}  // namespace clm
