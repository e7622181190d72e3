#include "client/render.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "core/base/units.h"

namespace clm::client {
namespace {

constexpr size_t kShortIdLength = 12;

// "JOB_STATE_RUNNING" without its prefix, in lower case.
std::string EnumWord(const std::string& name, const char* prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

std::string MetricText(const v1::Metric& metric) {
  if (metric.name() == "train_loss_nats_per_byte") return absl::StrFormat("loss %.4f nats/byte", metric.value());
  if (metric.name() == "validation_bits_per_byte") return absl::StrFormat("validation %.4f BPB", metric.value());
  if (metric.name() == "original_bytes_per_second") {
    return absl::StrCat(FormatBytes(static_cast<uint64_t>(metric.value())), "/s");
  }
  return "";
}

}  // namespace

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    absl::StrAppend(&out, line, "\n");
  }
  return out;
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(time.seconds()), absl::UTCTimeZone());
}

std::string Number(double value, int digits) { return absl::StrFormat("%.*f", digits, value); }

std::string StateName(v1::JobState state) { return EnumWord(v1::JobState_Name(state), "JOB_STATE_"); }

std::string KindName(v1::JobKind kind) { return EnumWord(v1::JobKind_Name(kind), "JOB_KIND_"); }

std::string KindName(v1::ArtifactKind kind) { return EnumWord(v1::ArtifactKind_Name(kind), "ARTIFACT_KIND_"); }

v1::ArtifactKind ArtifactKindOf(const std::string& name) {
  v1::ArtifactKind kind = v1::ARTIFACT_KIND_UNSPECIFIED;
  v1::ArtifactKind_Parse(absl::StrCat("ARTIFACT_KIND_", absl::AsciiStrToUpper(name)), &kind);
  return kind;
}

std::string IdOf(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

std::string ShortId(const std::string& name) { return IdOf(name).substr(0, kShortIdLength); }

std::string ProgressText(const v1::JobProgress& progress) {
  std::string text = absl::StrFormat("%-9s", progress.phase());
  if (progress.total_units() > 0) {
    absl::StrAppendFormat(&text, " %3d %%",
                          static_cast<int>(100.0 * static_cast<double>(progress.done_units()) /
                                           static_cast<double>(progress.total_units())));
  }
  if (progress.unit() == "bytes") {
    absl::StrAppend(&text, "  ", FormatBytes(progress.done_units()));
  } else if (progress.total_units() > 0) {
    absl::StrAppend(&text, "  ", progress.done_units(), "/", progress.total_units(), " ", progress.unit());
  }
  for (const v1::Metric& metric : progress.metrics()) {
    const std::string part = MetricText(metric);
    if (!part.empty()) absl::StrAppend(&text, "  ", part);
  }
  if (progress.remaining_seconds() > 0) {
    absl::StrAppend(&text, "  ", FormatSeconds(progress.remaining_seconds()), " left");
  }
  return text;
}

ProgressLine::ProgressLine(bool enabled, std::string prefix)
    : enabled_(enabled), terminal_(isatty(STDERR_FILENO) == 1), prefix_(std::move(prefix)) {}

ProgressLine::~ProgressLine() { Clear(); }

void ProgressLine::Show(const v1::JobProgress& progress) {
  if (!enabled_ || progress.phase().empty()) return;
  const std::string text = prefix_ + ProgressText(progress);
  if (terminal_) {
    std::fprintf(stderr, "\r%s\033[K", text.c_str());
    std::fflush(stderr);
    open_ = true;
    return;
  }
  const absl::Time now = absl::Now();
  if (progress.phase() == last_phase_ && now - last_line_ < absl::Seconds(10)) return;
  last_phase_ = progress.phase();
  last_line_ = now;
  std::fprintf(stderr, "%s\n", text.c_str());
}

void ProgressLine::Clear() {
  if (open_) std::fprintf(stderr, "\r\033[K");
  open_ = false;
}

}  // namespace clm::client
