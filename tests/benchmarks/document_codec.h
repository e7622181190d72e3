// DocumentCodec: a tokenizer over many documents on several threads, as a program that encodes a corpus would use it.
//
// Documents are cut into groups; threads take groups, and every thread has an encoder that keeps what it has learnt
// from one call to the next. The ids of all documents lie in memory when a call returns. Thread-safety: one call at a
// time. Ownership: shares the tokenizer; the documents must outlive a call. Results lie in huge pages: what is as large
// as a corpus would otherwise spend a fifth of the time in page faults.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "core/base/huge_pages.h"
#include "core/base/thread_pool.h"
#include "core/base/types.h"
#include "core/tokenizer/tokenizer.h"

namespace clm::benchmarking {

// What consecutive documents give, one behind the other.
template <typename T>
struct DocumentGroup {
  size_t begin = 0;  // first document
  size_t end = 0;    // one past the last
  std::vector<T, HugePageAllocator<T>> items;
  std::vector<size_t> lengths;  // items of each document
};
using IdGroup = DocumentGroup<SymbolId>;
using TextGroup = DocumentGroup<char>;

size_t TotalBytes(const std::vector<absl::string_view>& documents);
size_t TotalIds(const std::vector<IdGroup>& groups);

struct DocumentCodecOptions {
  size_t threads = 1;
  bool cache = true;  // of pieces
};

class DocumentCodec {
 public:
  // Makes the tables that encoding needs.
  DocumentCodec(std::shared_ptr<const Tokenizer> tokenizer, const DocumentCodecOptions& options);

  // Groups in the order of the documents.
  absl::StatusOr<std::vector<IdGroup>> Encode(const std::vector<absl::string_view>& documents);
  // The text of every document, each decoded by itself on this thread.
  absl::StatusOr<std::vector<TextGroup>> Decode(const std::vector<IdGroup>& groups) const;

 private:
  std::unique_ptr<StreamingBpeEncoder> Take() ABSL_LOCKS_EXCLUDED(mutex_);
  void Give(std::unique_ptr<StreamingBpeEncoder> encoder) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::shared_ptr<const Tokenizer> tokenizer_;
  BpeEncoderOptions options_;
  ThreadPool pool_;
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<StreamingBpeEncoder>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace clm::benchmarking
