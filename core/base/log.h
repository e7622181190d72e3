// Structured log: one JSON object per line on stderr.
//
//   Log(LogLevel::kInfo, "job finished", {{"job", id}, {"seconds", 12.5}});
//   {"time":"2026-11-21T10:00:00.123Z","level":"info","msg":"job finished","job":"...","seconds":12.5}
//
// `msg` is a constant sentence; what varies goes into fields. A field never holds user text beyond 1 KiB, nor secrets.
// Thread-safety: any thread; lines are never interleaved.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/string_view.h"

namespace clm {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

class LogValue {
 public:
  LogValue(absl::string_view text) : value_(std::string(text)) {}  // NOLINT(google-explicit-constructor)
  LogValue(const char* text) : value_(std::string(text)) {}        // NOLINT(google-explicit-constructor)
  LogValue(const std::string& text) : value_(text) {}              // NOLINT(google-explicit-constructor)
  LogValue(bool flag) : value_(flag) {}                            // NOLINT(google-explicit-constructor)
  LogValue(double number) : value_(number) {}                      // NOLINT(google-explicit-constructor)
  template <typename Integer, std::enable_if_t<std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>, int> = 0>
  LogValue(Integer number) : value_(static_cast<int64_t>(number)) {}  // NOLINT(google-explicit-constructor)

  const std::variant<std::string, bool, double, int64_t>& value() const { return value_; }

 private:
  std::variant<std::string, bool, double, int64_t> value_;
};

using LogField = std::pair<absl::string_view, LogValue>;

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields = {});

// Lines below `level` are dropped. Default kInfo.
void SetLogLevel(LogLevel level);
// "debug", "info", "warning", "error"; false for anything else.
bool ParseLogLevel(absl::string_view name, LogLevel& level);
// Redirects whole lines (without the newline), for tests and for the worker's pipe. An empty function restores stderr.
// The function runs under the log's lock: it must not log.
void SetLogSink(std::function<void(const std::string&)> sink);

}  // namespace clm
