// Tells ThreadSanitizer about the libraries that were built without it, Abseil's locks above all. Part of every program
// that is built with -fsanitize=thread.
//
// Debian's libabsl_synchronization is compiled without the sanitizer, which therefore sees neither the lock nor the
// order it brings, and would report every use of absl::Mutex as a race. The functions below stand before the library's
// own (a program's symbols come first), say acquire or release, and call the library's.
//
//   release   everything this thread did so far is visible to whoever acquires the same address later
//   acquire   the other half
//
// Abseil evaluates a waiter's Condition in whichever thread unlocks, still under the lock but after our release; memory
// accesses inside the library's functions are therefore not recorded.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

extern "C" {
void __tsan_acquire(void* address);  // NOLINT: names of the sanitizer's own interface
void __tsan_release(void* address);  // NOLINT
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}

namespace {

class IgnoreAccesses {
 public:
  IgnoreAccesses() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~IgnoreAccesses() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
  IgnoreAccesses(const IgnoreAccesses&) = delete;
  IgnoreAccesses& operator=(const IgnoreAccesses&) = delete;
};

// The library's function of that mangled name, as one that takes the object first (which is how members are called).
template <typename Function>
Function* Library(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) {
    std::fprintf(stderr, "absl_tsan.cc: libabsl_synchronization has no %s\n", name);
    std::abort();
  }
  return reinterpret_cast<Function*>(found);
}

void Acquire(const void* address) { __tsan_acquire(const_cast<void*>(address)); }
void Release(const void* address) { __tsan_release(const_cast<void*>(address)); }

}  // namespace

// gRPC and the other packaged libraries hand memory from thread to thread in ways the sanitizer does not see either:
// what they do inside is not judged, what our code does is. TSAN_OPTIONS still overrides.
extern "C" const char* __tsan_default_options();  // NOLINT: name of the sanitizer's own interface
extern "C" const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }  // NOLINT

// Abseil's inline namespace is part of the mangled names: debian3 in Debian 12.
#define CLM_LIBRARY(signature, mangled)                                        \
  static auto* const library = Library<signature>("_ZN4absl7debian3" mangled); \
  const IgnoreAccesses ignore
#define CLM_LIBRARY_CONST(signature, mangled)                                   \
  static auto* const library = Library<signature>("_ZNK4absl7debian3" mangled); \
  const IgnoreAccesses ignore

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  CLM_LIBRARY(void(Mutex*), "5Mutex4LockEv");
  library(this);
  Acquire(this);
}

void Mutex::Unlock() {
  CLM_LIBRARY(void(Mutex*), "5Mutex6UnlockEv");
  Release(this);
  library(this);
}

bool Mutex::TryLock() {
  CLM_LIBRARY(bool(Mutex*), "5Mutex7TryLockEv");
  const bool locked = library(this);
  if (locked) Acquire(this);
  return locked;
}

void Mutex::ReaderLock() {
  CLM_LIBRARY(void(Mutex*), "5Mutex10ReaderLockEv");
  library(this);
  Acquire(this);
}

void Mutex::ReaderUnlock() {
  CLM_LIBRARY(void(Mutex*), "5Mutex12ReaderUnlockEv");
  Release(this);
  library(this);
}

bool Mutex::ReaderTryLock() {
  CLM_LIBRARY(bool(Mutex*), "5Mutex13ReaderTryLockEv");
  const bool locked = library(this);
  if (locked) Acquire(this);
  return locked;
}

void Mutex::LockWhen(const Condition& condition) {
  CLM_LIBRARY(void(Mutex*, const Condition&), "5Mutex8LockWhenERKNS0_9ConditionE");
  library(this, condition);
  Acquire(this);
}

bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  CLM_LIBRARY(bool(Mutex*, const Condition&, Duration), "5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  const bool held = library(this, condition, timeout);
  Acquire(this);
  return held;
}

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  CLM_LIBRARY(bool(Mutex*, const Condition&, Time), "5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  const bool held = library(this, condition, deadline);
  Acquire(this);
  return held;
}

void Mutex::ReaderLockWhen(const Condition& condition) {
  CLM_LIBRARY(void(Mutex*, const Condition&), "5Mutex14ReaderLockWhenERKNS0_9ConditionE");
  library(this, condition);
  Acquire(this);
}

bool Mutex::ReaderLockWhenWithTimeout(const Condition& condition, Duration timeout) {
  CLM_LIBRARY(bool(Mutex*, const Condition&, Duration),
              "5Mutex25ReaderLockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  const bool held = library(this, condition, timeout);
  Acquire(this);
  return held;
}

bool Mutex::ReaderLockWhenWithDeadline(const Condition& condition, Time deadline) {
  CLM_LIBRARY(bool(Mutex*, const Condition&, Time), "5Mutex26ReaderLockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  const bool held = library(this, condition, deadline);
  Acquire(this);
  return held;
}

void Mutex::Await(const Condition& condition) {
  CLM_LIBRARY(void(Mutex*, const Condition&), "5Mutex5AwaitERKNS0_9ConditionE");
  Release(this);
  library(this, condition);
  Acquire(this);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  CLM_LIBRARY(bool(Mutex*, const Condition&, Duration), "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  Release(this);
  const bool held = library(this, condition, timeout);
  Acquire(this);
  return held;
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  CLM_LIBRARY(bool(Mutex*, const Condition&, Time), "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  Release(this);
  const bool held = library(this, condition, deadline);
  Acquire(this);
  return held;
}

void CondVar::Wait(Mutex* mutex) {
  CLM_LIBRARY(void(CondVar*, Mutex*), "7CondVar4WaitEPNS0_5MutexE");
  Release(mutex);
  library(this, mutex);
  Acquire(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  CLM_LIBRARY(bool(CondVar*, Mutex*, Duration), "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  Release(mutex);
  const bool timed_out = library(this, mutex, timeout);
  Acquire(mutex);
  return timed_out;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  CLM_LIBRARY(bool(CondVar*, Mutex*, Time), "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  Release(mutex);
  const bool timed_out = library(this, mutex, deadline);
  Acquire(mutex);
  return timed_out;
}

void Notification::Notify() {
  CLM_LIBRARY(void(Notification*), "12Notification6NotifyEv");
  Release(this);
  Release(reinterpret_cast<const char*>(this) + sizeof(Mutex));  // the flag, which HasBeenNotified() reads inline
  library(this);
}

void Notification::WaitForNotification() const {
  CLM_LIBRARY_CONST(void(const Notification*), "12Notification19WaitForNotificationEv");
  library(this);
  Acquire(this);
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  CLM_LIBRARY_CONST(bool(const Notification*, Duration),
                    "12Notification30WaitForNotificationWithTimeoutENS0_8DurationE");
  const bool notified = library(this, timeout);
  if (notified) Acquire(this);
  return notified;
}

bool Notification::WaitForNotificationWithDeadline(Time deadline) const {
  CLM_LIBRARY_CONST(bool(const Notification*, Time), "12Notification31WaitForNotificationWithDeadlineENS0_4TimeE");
  const bool notified = library(this, deadline);
  if (notified) Acquire(this);
  return notified;
}

bool BlockingCounter::DecrementCount() {
  CLM_LIBRARY(bool(BlockingCounter*), "15BlockingCounter14DecrementCountEv");
  Release(this);
  return library(this);
}

void BlockingCounter::Wait() {
  CLM_LIBRARY(void(BlockingCounter*), "15BlockingCounter4WaitEv");
  library(this);
  Acquire(this);
}

bool Barrier::Block() {
  CLM_LIBRARY(bool(Barrier*), "7Barrier5BlockEv");
  Release(this);
  const bool last = library(this);
  Acquire(this);
  return last;
}

ABSL_NAMESPACE_END
}  // namespace absl
