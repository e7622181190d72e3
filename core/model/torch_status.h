// CatchTorch: runs a function that may throw what LibTorch throws, and returns a status instead.
//
//   absl::Status Step() { return CatchTorch("training step", [&] { ...; return absl::OkStatus(); }); }
//
// RESOURCE_EXHAUSTED for memory, INTERNAL for anything else; the message starts with `what`.
// Internal to core/model and core/train (LibTorch types).
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <new>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace clm {

inline absl::Status TorchFailure(absl::string_view what, absl::string_view reason, bool memory) {
  const absl::StatusCode code = memory ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kInternal;
  return absl::Status(code, absl::StrCat(what, ": ", reason));
}

// `function` returns absl::Status or absl::StatusOr<T>.
template <typename Function>
auto CatchTorch(absl::string_view what, const Function& function) -> decltype(function()) {
  try {
    return function();
  } catch (const c10::OutOfMemoryError& error) {
    return TorchFailure(what, error.what_without_backtrace(), /*memory=*/true);
  } catch (const c10::Error& error) {
    // The CPU allocator reports a failed allocation as a plain error.
    const absl::string_view reason = error.what_without_backtrace();
    return TorchFailure(what, reason, absl::StrContains(reason, "can't allocate memory"));
  } catch (const std::bad_alloc&) {
    return TorchFailure(what, "out of memory", /*memory=*/true);
  } catch (const std::exception& error) {
    return TorchFailure(what, error.what(), /*memory=*/false);
  }
}

}  // namespace clm
