// IdStream: the symbols of one split in one representation, with document borders in symbols and ORIGINAL bytes.
//
//   header, 64 bytes, little-endian
//      0  magic "CLMI"        4  version u16 = 1      6  width u8 (2 or 4 bytes per id)   7  flags u8 = 0
//      8  vocab u32          12  boundary u32 (< vocab)
//     16  symbols u64        24  documents u64       32  original bytes u64
//     40  first 8 bytes of the universe's SHA-256 (zero without a universe)
//     48  first 8 bytes of the tokenizer's SHA-256 (zero without a tokenizer)
//     56  crc32c u32 of everything after the header  60  crc32c u32 of bytes 0..59
//   ids      symbols x width bytes; then zeros up to a multiple of 8
//   offsets  (documents + 1) x {symbol u64, original byte u64}; the first pair is (0, 0), the last the totals
//
// Each document is its symbols followed by exactly one boundary symbol. The width is 2 when vocab <= 65,536 and 4
// otherwise. The page is docs/formats/ids.md.
//
// A reader refuses, as DATA_LOSS naming file and place: wrong magic, size or checksum, ids >= vocab, offsets that do
// not grow, a document that does not end with its only boundary; as INVALID_ARGUMENT an unknown version.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"
#include "core/base/types.h"

namespace clm {

struct IdStreamHeader {
  static constexpr size_t kBytes = 64;
  static constexpr uint16_t kVersion = 1;

  uint32_t vocab_size = 0;
  SymbolId boundary = 0;
  uint64_t symbols = 0;  // boundaries included
  uint64_t documents = 0;
  uint64_t original_bytes = 0;
  std::array<uint8_t, 8> universe_prefix{};
  std::array<uint8_t, 8> tokenizer_prefix{};
  uint32_t body_crc32c = 0;

  uint32_t width() const { return vocab_size <= 65'536 ? 2 : 4; }
};

// What the writer must know before the first document.
struct IdStreamOptions {
  uint32_t vocab_size = 0;  // 1 to 2^31
  SymbolId boundary = 0;    // < vocab_size
  // 64 hex digits, or empty where the representation has none.
  std::string tokenizer_sha256 = {};
  std::string universe_sha256 = {};

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

// The first 8 bytes of a digest given as hex; zeros for an empty string. INVALID_ARGUMENT for anything but 0 or 64 hex
// digits.
absl::StatusOr<std::array<uint8_t, 8>> DigestPrefix(absl::string_view sha256_hex);

// Writes one stream. Memory is bounded: ids and offsets go to `<path>.ids.part` and `<path>.offsets.part`, and Finish()
// joins them behind the header, which holds the totals. The parts are removed by Finish() and by the destructor.
// Publishing the folder is the caller's business.
//
// Thread-safety: not thread-safe. The FileSystem must outlive the writer. After an error only destruction is allowed.
class IdStreamWriter {
 public:
  static absl::StatusOr<std::unique_ptr<IdStreamWriter>> Create(FileSystem& files, const std::string& path,
                                                                const IdStreamOptions& options);
  ~IdStreamWriter();
  IdStreamWriter(const IdStreamWriter&) = delete;
  IdStreamWriter& operator=(const IdStreamWriter&) = delete;

  // `symbols` WITHOUT the boundary, which is appended here. OUT_OF_RANGE naming document, position, id and vocabulary;
  // INVALID_ARGUMENT for a boundary inside the document.
  absl::Status AppendDocument(std::span<const SymbolId> symbols, uint64_t original_bytes);
  // Writes and syncs `path`. Returns what its header says.
  absl::StatusOr<IdStreamHeader> Finish();

 private:
  IdStreamWriter(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  std::string ids_part() const { return path_ + ".ids.part"; }
  std::string offsets_part() const { return path_ + ".offsets.part"; }
  void PutId(SymbolId id);
  void PutOffsets();
  absl::Status FlushIds();
  absl::Status FlushOffsets();
  // Continues `crc` over the content of a part and, unless `out` is null, appends it there.
  absl::Status ReadPart(const std::string& part, uint32_t& crc, WritableFile* out) const;

  FileSystem& files_;
  const std::string path_;
  IdStreamHeader header_;
  std::unique_ptr<WritableFile> ids_;
  std::unique_ptr<WritableFile> offsets_;
  std::string ids_buffer_;
  std::string offsets_buffer_;
};

// A stream mapped for reading; checked in full by Open (one pass over the file).
//
// Thread-safety: immutable, every method may run on any thread.
class IdStream {
 public:
  static absl::StatusOr<std::unique_ptr<IdStream>> Open(const FileSystem& files, const std::string& path);

  const IdStreamHeader& header() const { return header_; }
  uint32_t vocab_size() const { return header_.vocab_size; }
  SymbolId boundary() const { return header_.boundary; }
  uint64_t symbols() const { return header_.symbols; }
  uint64_t documents() const { return header_.documents; }
  uint64_t original_bytes() const { return header_.original_bytes; }

  // Requires index < symbols().
  SymbolId At(uint64_t index) const;
  // Symbols and ORIGINAL bytes before `document`. Requires document <= documents().
  uint64_t SymbolOffset(uint64_t document) const { return Offset(document, 0); }
  uint64_t ByteOffset(uint64_t document) const { return Offset(document, 8); }
  uint64_t DocumentBytes(uint64_t document) const { return ByteOffset(document + 1) - ByteOffset(document); }

  // Replaces `out` by the symbols [begin, begin + count). Requires begin + count <= symbols().
  void Read(uint64_t begin, uint64_t count, std::vector<SymbolId>& out) const;
  // Replaces `out` by the symbols of `document`, boundary included. Requires document < documents().
  void ReadDocument(uint64_t document, std::vector<SymbolId>& out) const;

 private:
  IdStream() = default;

  uint64_t Offset(uint64_t document, size_t field) const;
  absl::Status CheckBody(const std::string& path) const;

  std::unique_ptr<MappedFile> file_;
  IdStreamHeader header_;
  const char* ids_ = nullptr;      // into file_
  const char* offsets_ = nullptr;  // into file_
};

}  // namespace clm
