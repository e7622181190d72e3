#include "core/coordinate/symbol_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

// Symbols read of a chunk's end before all of it is. Longer runs of foldable pairs are rare.
constexpr size_t kTailSymbols = 64;

template <typename T>
absl::string_view BytesOf(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

template <typename T>
void CopyFrom(absl::string_view bytes, std::vector<T>& values) {
  values.resize(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
}

}  // namespace

SymbolStream::SymbolStream(Options options) : options_(std::move(options)) {}

SymbolStream::~SymbolStream() {
  RemoveScratch(file_);
  RemoveScratch(next_file_);
}

SymbolStream::SymbolStream(SymbolStream&& other) noexcept { *this = std::move(other); }

SymbolStream& SymbolStream::operator=(SymbolStream&& other) noexcept {
  std::swap(options_, other.options_);
  std::swap(has_weights_, other.has_weights_);
  std::swap(memory_bytes_, other.memory_bytes_);
  std::swap(open_, other.open_);
  std::swap(chunks_, other.chunks_);
  std::swap(file_, other.file_);
  std::swap(next_file_, other.next_file_);
  std::swap(generation_, other.generation_);
  return *this;
}

absl::Status SymbolStream::Append(std::span<const PackedSymbol> symbols) {
  while (!symbols.empty()) {
    std::vector<PackedSymbol>& open = open_.symbols;
    if (open.capacity() == 0) open.reserve(std::min(options_.chunk_symbols, kDefaultChunkSymbols) + kFoldLookahead);
    const size_t count = std::min(symbols.size(), options_.chunk_symbols - open.size());
    open.insert(open.end(), symbols.begin(), symbols.begin() + static_cast<ptrdiff_t>(count));
    symbols = symbols.subspan(count);
    if (open.size() == options_.chunk_symbols) CLM_RETURN_IF_ERROR(CloseChunk());
  }
  return absl::OkStatus();
}

absl::Status SymbolStream::AppendWeighted(std::span<const PackedSymbol> document, uint64_t weight) {
  has_weights_ = true;
  std::vector<PackedSymbol>& open = open_.symbols;
  const bool fits = open.empty() || open.size() + document.size() < options_.chunk_symbols;
  if (!fits) CLM_RETURN_IF_ERROR(CloseChunk());
  open.insert(open.end(), document.begin(), document.end());
  open.push_back(kPackedSeparator);
  open_.weights.push_back(weight);
  return absl::OkStatus();
}

absl::Status SymbolStream::Cut() { return open_.symbols.empty() ? absl::OkStatus() : CloseChunk(); }

absl::Status SymbolStream::CloseChunk() {
  Chunk& chunk = chunks_.emplace_back();
  open_.symbols.insert(open_.symbols.end(), kFoldLookahead, kPackedSeparator);
  Describe(chunk, open_);
  const uint64_t bytes = open_.symbols.size() * sizeof(PackedSymbol) + open_.weights.size() * sizeof(uint64_t);
  if (options_.memory_limit_bytes > 0 && memory_bytes_ + bytes > options_.memory_limit_bytes) {
    CLM_RETURN_IF_ERROR(WriteChunk(open_, chunk, file_));
    open_.symbols.clear();
    open_.weights.clear();
    return absl::OkStatus();
  }
  memory_bytes_ += bytes;
  open_.symbols.shrink_to_fit();
  chunk.data = std::exchange(open_, {});
  return absl::OkStatus();
}

absl::Status SymbolStream::Seal() {
  CLM_RETURN_IF_ERROR(Cut());
  open_ = {};
  if (file_.writer != nullptr) {
    CLM_RETURN_IF_ERROR(file_.writer->Close());
    file_.writer.reset();
    CLM_ASSIGN_OR_RETURN(file_.reader, options_.files->Open(file_.path));
  }
  RefreshLookaheads();
  return absl::OkStatus();
}

absl::StatusOr<SymbolStream> SymbolStream::Clone(const Options& options) const {
  SymbolStream copy(options);
  ThreadPool one(1);
  const auto append = [&](size_t, const SymbolChunk& chunk) -> absl::Status {
    const std::span<const PackedSymbol> symbols = std::span(chunk.symbols).first(chunk.size());
    if (chunk.weights.empty()) return copy.Append(symbols);
    size_t begin = 0;
    size_t document = 0;
    for (size_t t = 0; t < symbols.size(); ++t) {
      if (symbols[t] != kPackedSeparator) continue;
      CLM_RETURN_IF_ERROR(copy.AppendWeighted(symbols.subspan(begin, t - begin), chunk.weights[document++]));
      begin = t + 1;
    }
    return absl::OkStatus();
  };
  CLM_RETURN_IF_ERROR(Visit(0, chunk_count(), one, {}, append));
  CLM_RETURN_IF_ERROR(copy.Seal());
  return copy;
}

uint64_t SymbolStream::symbol_count() const {
  uint64_t symbols = 0;
  for (const Chunk& chunk : chunks_) symbols += chunk.size;
  return symbols;
}

void SymbolStream::Describe(Chunk& chunk, const SymbolChunk& data) const {
  const size_t size = data.size();
  chunk.size = static_cast<uint32_t>(size);
  chunk.documents = static_cast<uint32_t>(data.weights.size());
  chunk.head = {kPackedSeparator, kPackedSeparator};
  std::copy_n(data.symbols.begin(), std::min(size, kFoldLookahead), chunk.head.begin());
  chunk.last = size == 0 ? kPackedSeparator : data.symbols[size - 1];
}

absl::Status SymbolStream::OpenScratch(ScratchFile& file) {
  CLM_CHECK(options_.files != nullptr);
  file.path = JoinPath(options_.folder, absl::StrCat(options_.name, "-", generation_++, ".scratch"));
  CLM_ASSIGN_OR_RETURN(file.writer, options_.files->Create(file.path));
  file.size_bytes = 0;
  return absl::OkStatus();
}

// Whoever removes the folder finds what could not be removed here.
void SymbolStream::RemoveScratch(ScratchFile& file) {
  file.writer.reset();
  file.reader.reset();
  if (!file.path.empty()) options_.files->RemoveFile(file.path).IgnoreError();
  file = {};
}

absl::Status SymbolStream::WriteChunk(const SymbolChunk& data, Chunk& chunk, ScratchFile& file) {
  if (file.writer == nullptr) CLM_RETURN_IF_ERROR(OpenScratch(file));
  chunk.on_disk = true;
  chunk.offset = file.size_bytes;
  const absl::string_view symbols = BytesOf(std::span(data.symbols).first(data.size()));
  const absl::string_view weights = BytesOf(std::span(data.weights));
  CLM_RETURN_IF_ERROR(file.writer->Append(symbols));
  CLM_RETURN_IF_ERROR(file.writer->Append(weights));
  file.size_bytes += symbols.size() + weights.size();
  return absl::OkStatus();
}

absl::Status SymbolStream::ReadChunk(const Chunk& chunk, const FoldLookahead& next, SymbolChunk& data) const {
  const size_t symbol_bytes = chunk.size * sizeof(PackedSymbol);
  const size_t bytes = symbol_bytes + chunk.documents * sizeof(uint64_t);
  std::string content;
  CLM_RETURN_IF_ERROR(file_.reader->Read(chunk.offset, bytes, content));
  if (content.size() != bytes) return absl::DataLossError(absl::StrCat("the scratch file ", file_.path, " was cut"));
  data.symbols.reserve(chunk.size + kFoldLookahead);
  CopyFrom(absl::string_view(content).substr(0, symbol_bytes), data.symbols);
  CopyFrom(absl::string_view(content).substr(symbol_bytes), data.weights);
  data.symbols.insert(data.symbols.end(), next.begin(), next.end());
  return absl::OkStatus();
}

absl::Status SymbolStream::ReadTail(size_t index, size_t count, std::vector<PackedSymbol>& tail) const {
  const Chunk& chunk = chunks_[index];
  count = std::min<size_t>(count, chunk.size);
  if (!chunk.on_disk) {
    tail.assign(chunk.data.symbols.end() - static_cast<ptrdiff_t>(count + kFoldLookahead), chunk.data.symbols.end());
    return absl::OkStatus();
  }
  const size_t bytes = count * sizeof(PackedSymbol);
  std::string content;
  CLM_RETURN_IF_ERROR(file_.reader->Read(chunk.offset + (chunk.size - count) * sizeof(PackedSymbol), bytes, content));
  if (content.size() != bytes) return absl::DataLossError(absl::StrCat("the scratch file ", file_.path, " was cut"));
  CopyFrom(content, tail);
  return absl::OkStatus();
}

SymbolStream::Edges SymbolStream::edges() const {
  Edges edges;
  edges.last.resize(chunks_.size());
  edges.next.resize(chunks_.size());
  FoldLookahead next = {kPackedSeparator, kPackedSeparator};
  for (size_t i = chunks_.size(); i-- > 0;) {
    const Chunk& chunk = chunks_[i];
    edges.last[i] = chunk.last;
    edges.next[i] = next;
    if (chunk.size == 1) next = {chunk.head[0], next[0]};
    if (chunk.size >= 2) next = chunk.head;
  }
  return edges;
}

void SymbolStream::RefreshLookaheads() {
  const Edges all = edges();
  for (size_t i = 0; i < chunks_.size(); ++i) {
    std::vector<PackedSymbol>& symbols = chunks_[i].data.symbols;
    if (!chunks_[i].on_disk) std::copy(all.next[i].begin(), all.next[i].end(), symbols.end() - kFoldLookahead);
  }
}

absl::Status SymbolStream::Visit(size_t begin, size_t end, ThreadPool& pool, const CancellationToken& cancel,
                                 const Visitor& visit) const {
  const std::vector<FoldLookahead> next = on_disk() ? edges().next : std::vector<FoldLookahead>();
  return pool.ParallelFor(end - begin, cancel, [&](size_t i) -> absl::Status {
    const size_t index = begin + i;
    const Chunk& chunk = chunks_[index];
    if (!chunk.on_disk) return visit(index, chunk.data);
    SymbolChunk data;
    CLM_RETURN_IF_ERROR(ReadChunk(chunk, next[index], data));
    return visit(index, data);
  });
}

absl::Status SymbolStream::BeginRewrite() {
  CLM_CHECK(next_file_.path.empty());
  return on_disk() ? OpenScratch(next_file_) : absl::OkStatus();
}

absl::Status SymbolStream::Rewrite(size_t begin, size_t end, ThreadPool& pool, const CancellationToken& cancel,
                                   const Rewriter& rewrite) {
  const std::vector<FoldLookahead> next = on_disk() ? edges().next : std::vector<FoldLookahead>();
  absl::Mutex writing;
  return pool.ParallelFor(end - begin, cancel, [&](size_t i) -> absl::Status {
    const size_t index = begin + i;
    Chunk& chunk = chunks_[index];
    if (!chunk.on_disk) {
      CLM_RETURN_IF_ERROR(rewrite(index, chunk.data));
      Describe(chunk, chunk.data);
      return absl::OkStatus();
    }
    SymbolChunk data;
    CLM_RETURN_IF_ERROR(ReadChunk(chunk, next[index], data));
    CLM_RETURN_IF_ERROR(rewrite(index, data));
    Describe(chunk, data);
    const absl::MutexLock lock(&writing);
    return WriteChunk(data, chunk, next_file_);
  });
}

absl::Status SymbolStream::EndRewrite() {
  if (on_disk()) {
    CLM_RETURN_IF_ERROR(next_file_.writer->Close());
    next_file_.writer.reset();
    CLM_ASSIGN_OR_RETURN(next_file_.reader, options_.files->Open(next_file_.path));
    RemoveScratch(file_);
    file_ = std::exchange(next_file_, {});
  }
  RefreshLookaheads();
  return absl::OkStatus();
}

absl::StatusOr<size_t> SymbolStream::RunAtEnd(size_t index, const FoldLookahead& next, const PairRule& may_take) const {
  const Chunk& chunk = chunks_[index];
  if (chunk.size == 0 || !may_take(chunk.last, next[0], next[1])) return 0;
  std::vector<PackedSymbol> tail;
  size_t run = 0;
  for (const size_t count : {std::min<size_t>(kTailSymbols, chunk.size), size_t{chunk.size}}) {
    CLM_RETURN_IF_ERROR(ReadTail(index, count, tail));
    tail.resize(count);
    tail.insert(tail.end(), next.begin(), next.end());
    run = 0;
    while (run < count && may_take(tail[count - run - 1], tail[count - run], tail[count - run + 1])) ++run;
    if (run < count) break;
  }
  return run;
}

// A run of pairs that may be taken ends at the chunk's end or does not. If its beginning is in the chunk, its length
// says whether the last pair is taken; otherwise the chunk before decides as well.
absl::StatusOr<std::vector<bool>> SymbolStream::TakenFirsts(const PairRule& may_take, ThreadPool& pool,
                                                            const CancellationToken& cancel) const {
  const Edges all = edges();
  std::vector<size_t> runs(chunks_.size());
  CLM_RETURN_IF_ERROR(pool.ParallelFor(chunks_.size(), cancel, [&](size_t i) -> absl::Status {
    CLM_ASSIGN_OR_RETURN(runs[i], RunAtEnd(i, all.next[i], may_take));
    return absl::OkStatus();
  }));
  std::vector<bool> taken(chunks_.size());
  bool is_taken = false;
  for (size_t i = 0; i < chunks_.size(); ++i) {
    taken[i] = is_taken;
    if (chunks_[i].size == 0) continue;
    // The first symbol, if it is taken itself, begins no pair.
    const size_t run = runs[i] == chunks_[i].size && is_taken ? runs[i] - 1 : runs[i];
    is_taken = run % 2 == 1;
  }
  return taken;
}

}  // namespace clm
