#include "core/base/log.h"

#include <atomic>
#include <cstdio>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace clm {
namespace {

constexpr size_t kMaxFieldBytes = 1024;

struct LogState {
  absl::Mutex mu;
  std::function<void(const std::string&)> sink ABSL_GUARDED_BY(mu);
};

LogState& State() {
  static LogState* const kState = new LogState;  // never destroyed: threads may log while the process exits
  return *kState;
}

std::atomic<LogLevel>& MinimumLevel() {
  static std::atomic<LogLevel> level{LogLevel::kInfo};
  return level;
}

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

void AddField(nlohmann::ordered_json& line, const LogField& field) {
  const std::string key(field.first);
  std::visit(
      [&line, &key](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
          line[key] = value.substr(0, kMaxFieldBytes);
        } else {
          line[key] = value;
        }
      },
      field.second.value());
}

}  // namespace

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) {
  if (level < MinimumLevel().load(std::memory_order_relaxed)) return;
  nlohmann::ordered_json line;
  line["time"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  line["level"] = LevelName(level);
  line["msg"] = std::string(message);
  for (const LogField& field : fields) AddField(line, field);
  const std::string text = line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  LogState& state = State();
  absl::MutexLock lock(&state.mu);
  if (state.sink != nullptr) {
    state.sink(text);
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
}

void SetLogLevel(LogLevel level) { MinimumLevel().store(level, std::memory_order_relaxed); }

bool ParseLogLevel(absl::string_view name, LogLevel& level) {
  for (const LogLevel candidate : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (name == LevelName(candidate)) {
      level = candidate;
      return true;
    }
  }
  return false;
}

void SetLogSink(std::function<void(const std::string&)> sink) {
  LogState& state = State();
  absl::MutexLock lock(&state.mu);
  state.sink = std::move(sink);
}

}  // namespace clm
