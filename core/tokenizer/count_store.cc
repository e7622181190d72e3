#include "core/tokenizer/count_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/record_file.h"

namespace clm {
namespace {

constexpr size_t kMaxFanIn = 64;
constexpr uint64_t kCheckEvery = 1024;  // pieces between two looks at the token

// The front of one run.
struct Head {
  std::unique_ptr<RecordReader> reader;
  absl::string_view piece;
  uint64_t count = 0;
};

std::string RunRecord(absl::string_view piece, uint64_t count) {
  std::string record;
  AppendVarint(count, record);
  record.append(piece.data(), piece.size());
  return record;
}

// False at the end of the run.
absl::StatusOr<bool> Advance(Head& head) {
  CLM_ASSIGN_OR_RETURN(const bool is_there, head.reader->Next(head.piece));
  if (is_there && !TakeVarint(head.piece, head.count)) return absl::DataLossError("a run of counts has a bad record");
  return is_there;
}

// Of a min-heap.
bool ComesLater(const Head& a, const Head& b) { return a.piece > b.piece; }

absl::StatusOr<std::vector<Head>> OpenRuns(const FileSystem& files, std::span<const std::string> runs) {
  std::vector<Head> heads;
  for (const std::string& run : runs) {
    Head head;
    CLM_ASSIGN_OR_RETURN(head.reader, RecordReader::Open(files, run));
    CLM_ASSIGN_OR_RETURN(const bool is_there, Advance(head));
    if (is_there) heads.push_back(std::move(head));
  }
  std::make_heap(heads.begin(), heads.end(), ComesLater);
  return heads;
}

}  // namespace

ScratchFolder::~ScratchFolder() {
  if (next_ > 0) files_.RemoveTree(path_).IgnoreError();  // what is left costs disk only
}

absl::StatusOr<std::string> ScratchFolder::NewPath() {
  CLM_RETURN_IF_ERROR(files_.MakeDirectories(path_));
  return JoinPath(path_, absl::StrCat("run-", next_++));
}

absl::Status CountStore::AddPieces(absl::string_view text, size_t begin, std::span<const uint32_t> ends) {
  while (true) {
    const size_t done = counter_.AddPieces(text, begin, ends);
    if (done == ends.size()) return absl::OkStatus();
    if (done > 0) begin = ends[done - 1];
    ends = ends.subspan(done);
    CLM_RETURN_IF_ERROR(WriteRun());
  }
}

absl::Status CountStore::Add(absl::string_view piece, uint64_t count) {
  while (!counter_.Add(piece, count)) CLM_RETURN_IF_ERROR(WriteRun());
  return absl::OkStatus();
}

absl::Status CountStore::WriteRun() {
  CLM_ASSIGN_OR_RETURN(std::string path, scratch_->NewPath());
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> run, RecordWriter::Create(scratch_->files(), path));
  runs_.push_back(std::move(path));
  absl::Status status;
  counter_.Drain([&](absl::string_view piece, uint64_t count) {
    if (status.ok()) status = run->Append(RunRecord(piece, count));
  });
  CLM_RETURN_IF_ERROR(status);
  return run->Finish(/*sync=*/false);
}

absl::Status CountStore::Spill() {
  if (counter_.size() > 0) CLM_RETURN_IF_ERROR(WriteRun());
  counter_ = PieceCounter(counter_.limit_bytes());
  return absl::OkStatus();
}

void CountStore::set_limit_bytes(size_t limit_bytes) {
  if (scratch_ != nullptr) counter_.set_limit_bytes(limit_bytes);
}

absl::Status CountStore::Absorb(const CountStore& other, const FileSystem& other_files) {
  absl::Status status;
  other.counter_.ForEach([&](absl::string_view piece, uint64_t count) {
    if (status.ok()) status = Add(piece, count);
  });
  CLM_RETURN_IF_ERROR(status);
  for (const std::string& run : other.runs_) {
    CLM_RETURN_IF_ERROR(VisitRuns(other_files, {&run, 1}, {},
                                  [this](absl::string_view piece, uint64_t count) { return Add(piece, count); }));
  }
  return absl::OkStatus();
}

absl::Status CountStore::Take(CountStore& other) {
  std::move(other.runs_.begin(), other.runs_.end(), std::back_inserter(runs_));
  other.runs_.clear();
  if (other.counter_.size() > counter_.size()) std::swap(counter_, other.counter_);
  CLM_RETURN_IF_ERROR(Absorb(other, scratch_ == nullptr ? PosixFileSystem() : scratch_->files()));
  other.counter_ = PieceCounter(counter_.limit_bytes());
  return absl::OkStatus();
}

absl::Status CountStore::Visit(const CancellationToken& cancel, const CountVisitor& visit) {
  if (!runs_.empty()) {
    CLM_RETURN_IF_ERROR(Spill());
    CLM_RETURN_IF_ERROR(ReduceRuns(cancel));
    return VisitRuns(scratch_->files(), runs_, cancel, visit);
  }
  absl::Status status = cancel.Check();
  counter_.ForEach([&](absl::string_view piece, uint64_t count) {
    if (status.ok()) status = visit(piece, count);
  });
  return status;
}

absl::Status CountStore::ReduceRuns(const CancellationToken& cancel) {
  while (runs_.size() > kMaxFanIn) {
    const std::span<const std::string> first(runs_.data(), kMaxFanIn);
    CLM_ASSIGN_OR_RETURN(std::string path, scratch_->NewPath());
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> merged, RecordWriter::Create(scratch_->files(), path));
    CLM_RETURN_IF_ERROR(VisitRuns(scratch_->files(), first, cancel, [&](absl::string_view piece, uint64_t count) {
      return merged->Append(RunRecord(piece, count));
    }));
    CLM_RETURN_IF_ERROR(merged->Finish(/*sync=*/false));
    for (const std::string& run : first) CLM_RETURN_IF_ERROR(scratch_->files().RemoveFile(run));
    // To the end: every byte is merged about once per level.
    runs_.erase(runs_.begin(), runs_.begin() + kMaxFanIn);
    runs_.push_back(std::move(path));
  }
  return absl::OkStatus();
}

absl::Status VisitRuns(const FileSystem& files, std::span<const std::string> runs, const CancellationToken& cancel,
                       const CountVisitor& visit) {
  CLM_ASSIGN_OR_RETURN(std::vector<Head> heads, OpenRuns(files, runs));
  std::string piece;
  uint64_t count = 0;
  uint64_t visited = 0;
  while (!heads.empty()) {
    std::pop_heap(heads.begin(), heads.end(), ComesLater);
    Head& head = heads.back();
    if (count > 0 && head.piece != piece) {
      if (visited++ % kCheckEvery == 0) CLM_RETURN_IF_ERROR(cancel.Check());
      CLM_RETURN_IF_ERROR(visit(piece, count));
      count = 0;
    }
    if (count == 0) piece.assign(head.piece.data(), head.piece.size());
    count += head.count;
    CLM_ASSIGN_OR_RETURN(const bool is_there, Advance(head));
    if (is_there) {
      std::push_heap(heads.begin(), heads.end(), ComesLater);
    } else {
      heads.pop_back();
    }
  }
  return count > 0 ? visit(piece, count) : absl::OkStatus();
}

}  // namespace clm
