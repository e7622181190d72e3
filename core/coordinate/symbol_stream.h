// SymbolStream: the documents that a universe is learned from, as packed symbols in pieces that fit a cache.
//
// Symbols of all documents follow each other, each document ended by a separator (symbol_pair.h). The pieces, chunks,
// are cut wherever they are full: a chunk carries what follows it (two symbols), so that it can be counted and folded
// alone. Passes over the chunks run in parallel; each leaves the chunks in their order.
//
// Weights: a document may stand for many equal ones. Chunks with weights hold whole documents.
//
// Memory: four bytes per symbol in memory, up to memory_limit_bytes; chunks beyond are kept in a scratch file, which is
// rewritten by Rewrite() and removed by the destructor.
// Thread-safety: one thread calls; Visit() and Rewrite() use the pool.
// Errors: those of FileSystem, of the cancellation token and of the visitors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/file_io.h"
#include "core/base/thread_pool.h"
#include "core/coordinate/fold_kernel.h"
#include "core/coordinate/symbol_pair.h"

namespace clm {

// The symbols behind a chunk; separators behind the last.
using FoldLookahead = std::array<PackedSymbol, kFoldLookahead>;

struct SymbolChunk {
  // Symbols of the chunk, then the lookahead.
  std::vector<PackedSymbol> symbols;
  // By document of the chunk. Empty: each document stands for itself.
  std::vector<uint64_t> weights;

  size_t size() const { return symbols.size() - kFoldLookahead; }
};

class SymbolStream {
 public:
  static constexpr size_t kDefaultChunkSymbols = size_t{1} << 17;

  struct Options {
    size_t chunk_symbols = kDefaultChunkSymbols;
    // Of all chunks that are kept in memory. 0: no limit, no files.
    uint64_t memory_limit_bytes = 0;
    // Where the others go; needed with a limit. The folder must exist and `name` be no other stream's.
    FileSystem* files = nullptr;
    std::string folder = {};
    std::string name = "symbols";
  };

  SymbolStream() : SymbolStream(Options()) {}
  explicit SymbolStream(Options options);
  ~SymbolStream();
  SymbolStream(SymbolStream&& other) noexcept;
  SymbolStream& operator=(SymbolStream&& other) noexcept;

  // Appends symbols of the current document, in as many calls as you like; a separator ends it.
  absl::Status Append(std::span<const PackedSymbol> symbols);
  // Closes the chunk that is being filled, full or not.
  absl::Status Cut();
  // Appends a whole document, without its separator, that stands for `weight` equal ones. Not to be mixed with the
  // other Append in one stream.
  absl::Status AppendWeighted(std::span<const PackedSymbol> document, uint64_t weight);
  // Closes the last chunk. Nothing may be appended after it; nothing else may be called before it.
  absl::Status Seal();

  // A sealed copy with other options.
  absl::StatusOr<SymbolStream> Clone(const Options& options) const;

  size_t chunk_size(size_t index) const { return chunks_[index].size; }
  size_t chunk_count() const { return chunks_.size(); }
  size_t chunk_symbols() const { return options_.chunk_symbols; }
  uint64_t symbol_count() const;  // with separators
  bool has_weights() const { return has_weights_; }
  uint64_t memory_bytes() const { return memory_bytes_; }  // of chunks in memory, before they were rewritten
  bool on_disk() const { return file_.reader != nullptr || file_.writer != nullptr; }

  using Visitor = std::function<absl::Status(size_t index, const SymbolChunk& chunk)>;
  // Calls the visitor for chunks [begin, end), from several threads, in any order.
  absl::Status Visit(size_t begin, size_t end, ThreadPool& pool, const CancellationToken& cancel,
                     const Visitor& visit) const;

  // The visitor may change symbols before the lookahead, and drop some of them.
  using Rewriter = std::function<absl::Status(size_t index, SymbolChunk& chunk)>;
  // One pass in batches: BeginRewrite(), Rewrite() of every chunk once, EndRewrite(). Chunks see the lookaheads of
  // before the pass. After an error in between the stream must not be used any more.
  absl::Status BeginRewrite();
  absl::Status Rewrite(size_t begin, size_t end, ThreadPool& pool, const CancellationToken& cancel,
                       const Rewriter& rewrite);
  absl::Status EndRewrite();

  // The last symbol of each chunk (a separator if it is empty) and what follows each.
  struct Edges {
    std::vector<PackedSymbol> last;
    std::vector<FoldLookahead> next;
  };
  Edges edges() const;

  // For each chunk: is its first symbol the right one of a pair that was taken before it? A pair may be taken where
  // `may_take` says so, which is asked for any two neighbours and what follows them, and greedily from left to right.
  using PairRule = std::function<bool(PackedSymbol left, PackedSymbol right, PackedSymbol next)>;
  absl::StatusOr<std::vector<bool>> TakenFirsts(const PairRule& may_take, ThreadPool& pool,
                                                const CancellationToken& cancel) const;

 private:
  struct Chunk {
    uint32_t size = 0;
    uint32_t documents = 0;  // that have a weight
    FoldLookahead head = {kPackedSeparator, kPackedSeparator};
    PackedSymbol last = kPackedSeparator;
    bool on_disk = false;
    uint64_t offset = 0;  // in the file
    SymbolChunk data;     // with the lookahead; empty on disk
  };
  struct ScratchFile {
    std::string path;
    std::unique_ptr<WritableFile> writer;
    std::unique_ptr<RandomAccessFile> reader;
    uint64_t size_bytes = 0;
  };

  absl::Status CloseChunk();
  absl::Status WriteChunk(const SymbolChunk& data, Chunk& chunk, ScratchFile& file);
  absl::Status OpenScratch(ScratchFile& file);
  void RemoveScratch(ScratchFile& file);
  absl::Status ReadChunk(const Chunk& chunk, const FoldLookahead& next, SymbolChunk& data) const;
  // The last symbols of a chunk, up to `count` of them, and the lookahead.
  absl::Status ReadTail(size_t index, size_t count, std::vector<PackedSymbol>& tail) const;
  // Pairs that may be taken at the end of a chunk without one between them that may not; all of its symbols if there is
  // none in the chunk.
  absl::StatusOr<size_t> RunAtEnd(size_t index, const FoldLookahead& next, const PairRule& may_take) const;
  void Describe(Chunk& chunk, const SymbolChunk& data) const;
  void RefreshLookaheads();

  Options options_;
  bool has_weights_ = false;
  uint64_t memory_bytes_ = 0;
  SymbolChunk open_;  // no lookahead yet
  std::vector<Chunk> chunks_;
  ScratchFile file_;
  ScratchFile next_file_;  // while rewriting
  uint64_t generation_ = 0;
};

}  // namespace clm
