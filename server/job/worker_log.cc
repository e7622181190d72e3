#include "server/job/worker_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"

namespace clm {
namespace {

// Messages of Protocol Buffers refuse invalid UTF-8 in strings, and a worker may print anything.
std::string Printable(absl::string_view line) {
  std::string result(line);
  for (char& c : result) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || (byte < 0x20 && byte != '\t') || byte == 0x7f) c = '?';
  }
  return result;
}

}  // namespace

WorkerLog::WorkerLog(FileSystem& files, std::string path, uint64_t limit_bytes)
    : files_(files), path_(std::move(path)), limit_bytes_(std::max<uint64_t>(limit_bytes, 4096)) {
  absl::StatusOr<std::unique_ptr<WritableFile>> file = files_.Append(path_);
  if (!file.ok()) {
    Log(LogLevel::kWarning, "cannot write a worker's log", {{"path", path_}, {"error", file.status().ToString()}});
    return;
  }
  file_ = *std::move(file);
  size_bytes_ = files_.SizeBytes(path_).value_or(0);
}

void WorkerLog::Append(absl::string_view bytes) {
  Write(bytes);
  AddToTail(bytes);
}

void WorkerLog::Write(absl::string_view bytes) {
  if (file_ == nullptr || bytes.empty()) return;
  if (size_bytes_ + bytes.size() > limit_bytes_) {
    absl::StatusOr<std::unique_ptr<WritableFile>> fresh = files_.Create(path_);
    file_ = fresh.ok() ? *std::move(fresh) : nullptr;
    size_bytes_ = 0;
    if (file_ == nullptr) return;
    if (bytes.size() > limit_bytes_) bytes = bytes.substr(bytes.size() - limit_bytes_);
  }
  size_bytes_ += bytes.size();
  const absl::Status status = file_->Append(bytes);
  if (status.ok()) return;
  Log(LogLevel::kWarning, "a worker's log ends here", {{"path", path_}, {"error", status.ToString()}});
  file_ = nullptr;
}

void WorkerLog::AddToTail(absl::string_view bytes) {
  while (!bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const absl::string_view piece = bytes.substr(0, newline);
    absl::StrAppend(&line_, piece.substr(0, kMaxTailLineBytes - std::min(kMaxTailLineBytes, line_.size())));
    if (newline == absl::string_view::npos) return;
    lines_.push_back(std::exchange(line_, std::string()));
    if (lines_.size() > kTailLines) lines_.pop_front();
    bytes.remove_prefix(newline + 1);
  }
}

std::vector<std::string> WorkerLog::Tail() const {
  std::vector<std::string> tail;
  for (const std::string& line : lines_) tail.push_back(Printable(line));
  if (!line_.empty()) tail.push_back(Printable(line_));
  if (tail.size() > kTailLines) tail.erase(tail.begin());
  return tail;
}

}  // namespace clm
