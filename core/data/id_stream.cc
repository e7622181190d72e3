#include "core/data/id_stream.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/checksum.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

static_assert(std::endian::native == std::endian::little, "ids are read from the mapped file as they lie");

constexpr absl::string_view kMagic = "CLMI";
constexpr size_t kBufferBytes = size_t{1} << 20;
constexpr uint32_t kMaxVocab = uint32_t{1} << 31;
constexpr size_t kOffsetBytes = 16;

absl::string_view AsView(const std::array<uint8_t, 8>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The header without its own checksum.
std::string EncodeHeader(const IdStreamHeader& header) {
  ByteWriter out;
  out.WriteBytes(kMagic);
  out.WriteU16(IdStreamHeader::kVersion);
  out.WriteU8(static_cast<uint8_t>(header.width()));
  out.WriteU8(0);
  out.WriteU32(header.vocab_size);
  out.WriteU32(header.boundary);
  out.WriteU64(header.symbols);
  out.WriteU64(header.documents);
  out.WriteU64(header.original_bytes);
  out.WriteBytes(AsView(header.universe_prefix));
  out.WriteBytes(AsView(header.tokenizer_prefix));
  out.WriteU32(header.body_crc32c);
  out.WriteU32(Crc32c(out.view()));
  return out.Take();
}

void CopyPrefix(absl::string_view from, std::array<uint8_t, 8>& to) { std::memcpy(to.data(), from.data(), to.size()); }

// Bytes of ids with their padding.
uint64_t PaddedIdBytes(const IdStreamHeader& header) { return (header.symbols * header.width() + 7) / 8 * 8; }

// Parses and checks what can be checked without the body. `data` is the whole file.
absl::StatusOr<IdStreamHeader> DecodeHeader(const std::string& path, absl::string_view data) {
  const auto damaged = [&path](const auto&... parts) {
    return absl::DataLossError(absl::StrCat(path, ": ", parts...));
  };
  ByteReader in(data);
  IdStreamHeader header;
  absl::string_view magic;
  absl::string_view universe;
  absl::string_view tokenizer;
  uint16_t version = 0;
  uint8_t width = 0;
  uint8_t flags = 0;
  uint32_t header_crc = 0;
  if (!in.ReadBytes(kMagic.size(), magic) || magic != kMagic) return damaged("not an id stream (no magic CLMI)");
  if (!in.ReadU16(version)) return damaged("the header ends early");
  if (version != IdStreamHeader::kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": id stream version ", version, ", this program reads ", IdStreamHeader::kVersion));
  }
  if (!in.ReadU8(width) || !in.ReadU8(flags) || !in.ReadU32(header.vocab_size) || !in.ReadU32(header.boundary) ||
      !in.ReadU64(header.symbols) || !in.ReadU64(header.documents) || !in.ReadU64(header.original_bytes) ||
      !in.ReadBytes(8, universe) || !in.ReadBytes(8, tokenizer) || !in.ReadU32(header.body_crc32c) ||
      !in.ReadU32(header_crc)) {
    return damaged("the header ends early");
  }
  CopyPrefix(universe, header.universe_prefix);
  CopyPrefix(tokenizer, header.tokenizer_prefix);
  if (header_crc != Crc32c(data.substr(0, IdStreamHeader::kBytes - 4)))
    return damaged("the header's checksum is wrong");
  if (flags != 0) return damaged("flags are ", flags, ", must be 0");
  if (header.vocab_size == 0 || header.vocab_size > kMaxVocab) return damaged("vocab ", header.vocab_size);
  if (width != header.width()) return damaged("width ", width, " for vocab ", header.vocab_size);
  if (header.boundary >= header.vocab_size) {
    return damaged("boundary ", header.boundary, " is not below vocab ", header.vocab_size);
  }
  // Counts first against the file's size, so that the sum below cannot overflow.
  if (header.symbols > data.size() || header.documents >= data.size() ||
      IdStreamHeader::kBytes + PaddedIdBytes(header) + (header.documents + 1) * kOffsetBytes != data.size()) {
    return damaged("the file has ", data.size(), " bytes, which is not what ", header.symbols, " symbols and ",
                   header.documents, " documents take");
  }
  return header;
}

}  // namespace

absl::Status IdStreamOptions::Validate() const {
  if (vocab_size == 0 || vocab_size > kMaxVocab) {
    return absl::InvalidArgumentError(absl::StrCat("vocab_size is ", vocab_size, ", must lie in [1, ", kMaxVocab, "]"));
  }
  if (boundary >= vocab_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("boundary is ", boundary, ", must be below vocab_size ", vocab_size));
  }
  CLM_RETURN_IF_ERROR(DigestPrefix(tokenizer_sha256).status());
  return DigestPrefix(universe_sha256).status();
}

absl::StatusOr<std::array<uint8_t, 8>> DigestPrefix(absl::string_view sha256_hex) {
  std::array<uint8_t, 8> prefix{};
  if (sha256_hex.empty()) return prefix;
  if (sha256_hex.size() != 64 || !std::all_of(sha256_hex.begin(), sha256_hex.end(), [](char c) {
        return absl::ascii_isxdigit(static_cast<unsigned char>(c));
      })) {
    return absl::InvalidArgumentError(absl::StrCat("\"", sha256_hex, "\" is not a SHA-256 of 64 hex digits"));
  }
  CopyPrefix(absl::HexStringToBytes(sha256_hex.substr(0, 16)), prefix);
  return prefix;
}

absl::StatusOr<std::unique_ptr<IdStreamWriter>> IdStreamWriter::Create(FileSystem& files, const std::string& path,
                                                                       const IdStreamOptions& options) {
  CLM_RETURN_IF_ERROR(options.Validate());
  std::unique_ptr<IdStreamWriter> writer(new IdStreamWriter(files, path));
  writer->header_.vocab_size = options.vocab_size;
  writer->header_.boundary = options.boundary;
  CLM_ASSIGN_OR_RETURN(writer->header_.tokenizer_prefix, DigestPrefix(options.tokenizer_sha256));
  CLM_ASSIGN_OR_RETURN(writer->header_.universe_prefix, DigestPrefix(options.universe_sha256));
  CLM_ASSIGN_OR_RETURN(writer->ids_, files.Create(writer->ids_part()));
  CLM_ASSIGN_OR_RETURN(writer->offsets_, files.Create(writer->offsets_part()));
  writer->PutOffsets();
  return writer;
}

IdStreamWriter::~IdStreamWriter() {
  ids_.reset();
  offsets_.reset();
  for (const std::string& part : {ids_part(), offsets_part()}) {
    if (files_.Exists(part)) files_.RemoveFile(part).IgnoreError();  // a leftover is harmless
  }
}

void IdStreamWriter::PutId(SymbolId id) {
  for (uint32_t i = 0; i < header_.width(); ++i) ids_buffer_.push_back(static_cast<char>((id >> (8 * i)) & 0xFF));
}

void IdStreamWriter::PutOffsets() {
  ByteWriter out;
  out.WriteU64(header_.symbols);
  out.WriteU64(header_.original_bytes);
  offsets_buffer_ += out.Take();
}

absl::Status IdStreamWriter::FlushIds() {
  CLM_RETURN_IF_ERROR(ids_->Append(ids_buffer_));
  ids_buffer_.clear();
  return absl::OkStatus();
}

absl::Status IdStreamWriter::FlushOffsets() {
  CLM_RETURN_IF_ERROR(offsets_->Append(offsets_buffer_));
  offsets_buffer_.clear();
  return absl::OkStatus();
}

absl::Status IdStreamWriter::AppendDocument(std::span<const SymbolId> symbols, uint64_t original_bytes) {
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (symbols[i] >= header_.vocab_size) {
      return absl::OutOfRangeError(absl::StrCat("document ", header_.documents, ", position ", i, ": id ", symbols[i],
                                                " is not below the vocabulary size ", header_.vocab_size));
    }
    if (symbols[i] == header_.boundary) {
      return absl::InvalidArgumentError(absl::StrCat("document ", header_.documents, ", position ", i,
                                                     ": the boundary symbol ", symbols[i], " inside a document"));
    }
    PutId(symbols[i]);
    if (ids_buffer_.size() >= kBufferBytes) CLM_RETURN_IF_ERROR(FlushIds());
  }
  PutId(header_.boundary);
  ++header_.documents;
  header_.symbols += symbols.size() + 1;
  header_.original_bytes += original_bytes;
  PutOffsets();
  return offsets_buffer_.size() >= kBufferBytes ? FlushOffsets() : absl::OkStatus();
}

absl::Status IdStreamWriter::ReadPart(const std::string& part, uint32_t& crc, WritableFile* out) const {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> in, files_.Open(part));
  std::string chunk;
  for (uint64_t position = 0; position < in->size_bytes(); position += chunk.size()) {
    CLM_RETURN_IF_ERROR(in->Read(position, kBufferBytes, chunk));
    if (chunk.empty()) return absl::DataLossError(absl::StrCat(part, ": shorter than it was written"));
    crc = Crc32c(chunk, crc);
    if (out != nullptr) CLM_RETURN_IF_ERROR(out->Append(chunk));
  }
  return absl::OkStatus();
}

absl::StatusOr<IdStreamHeader> IdStreamWriter::Finish() {
  ids_buffer_.append(PaddedIdBytes(header_) - header_.symbols * header_.width(), '\0');
  CLM_RETURN_IF_ERROR(FlushIds());
  CLM_RETURN_IF_ERROR(FlushOffsets());
  CLM_RETURN_IF_ERROR(ids_->Close());
  CLM_RETURN_IF_ERROR(offsets_->Close());
  CLM_RETURN_IF_ERROR(ReadPart(ids_part(), header_.body_crc32c, nullptr));
  CLM_RETURN_IF_ERROR(ReadPart(offsets_part(), header_.body_crc32c, nullptr));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> out, files_.Create(path_));
  CLM_RETURN_IF_ERROR(out->Append(EncodeHeader(header_)));
  uint32_t written_crc = 0;
  CLM_RETURN_IF_ERROR(ReadPart(ids_part(), written_crc, out.get()));
  CLM_RETURN_IF_ERROR(ReadPart(offsets_part(), written_crc, out.get()));
  if (written_crc != header_.body_crc32c) return absl::DataLossError(absl::StrCat(path_, ": a part changed"));
  CLM_RETURN_IF_ERROR(out->Sync());
  CLM_RETURN_IF_ERROR(out->Close());
  CLM_RETURN_IF_ERROR(files_.RemoveFile(ids_part()));
  CLM_RETURN_IF_ERROR(files_.RemoveFile(offsets_part()));
  return header_;
}

absl::StatusOr<std::unique_ptr<IdStream>> IdStream::Open(const FileSystem& files, const std::string& path) {
  std::unique_ptr<IdStream> stream(new IdStream());
  CLM_ASSIGN_OR_RETURN(stream->file_, files.Map(path));
  const absl::string_view data = stream->file_->data();
  CLM_ASSIGN_OR_RETURN(stream->header_, DecodeHeader(path, data));
  stream->ids_ = data.data() + IdStreamHeader::kBytes;
  stream->offsets_ = stream->ids_ + PaddedIdBytes(stream->header_);
  if (Crc32c(data.substr(IdStreamHeader::kBytes)) != stream->header_.body_crc32c) {
    return absl::DataLossError(absl::StrCat(path, ": the checksum of the ids is wrong"));
  }
  CLM_RETURN_IF_ERROR(stream->CheckBody(path));
  return stream;
}

absl::Status IdStream::CheckBody(const std::string& path) const {
  const auto damaged = [&path](const auto&... parts) {
    return absl::DataLossError(absl::StrCat(path, ": ", parts...));
  };
  if (SymbolOffset(0) != 0 || ByteOffset(0) != 0) return damaged("the first offsets are not 0");
  if (SymbolOffset(documents()) != symbols() || ByteOffset(documents()) != original_bytes()) {
    return damaged("the last offsets are not the totals of the header");
  }
  for (uint64_t d = 0; d < documents(); ++d) {
    const uint64_t begin = SymbolOffset(d);
    const uint64_t end = SymbolOffset(d + 1);
    if (end <= begin || end > symbols()) return damaged("document ", d, ": symbol offsets do not grow");
    if (ByteOffset(d + 1) < ByteOffset(d)) return damaged("document ", d, ": byte offsets decrease");
    for (uint64_t i = begin; i < end; ++i) {
      const SymbolId id = At(i);
      if (id >= vocab_size()) return damaged("symbol ", i, ": id ", id, " is not below vocab ", vocab_size());
      if ((id == boundary()) != (i + 1 == end)) {
        return damaged("document ", d, ": symbol ", i, " breaks the rule that a document ends with its only boundary");
      }
    }
  }
  return absl::OkStatus();
}

SymbolId IdStream::At(uint64_t index) const {
  if (header_.width() == 2) {
    uint16_t id = 0;
    std::memcpy(&id, ids_ + index * 2, sizeof(id));
    return id;
  }
  uint32_t id = 0;
  std::memcpy(&id, ids_ + index * 4, sizeof(id));
  return id;
}

uint64_t IdStream::Offset(uint64_t document, size_t field) const {
  uint64_t value = 0;
  std::memcpy(&value, offsets_ + document * kOffsetBytes + field, sizeof(value));
  return value;
}

void IdStream::Read(uint64_t begin, uint64_t count, std::vector<SymbolId>& out) const {
  out.resize(count);
  for (uint64_t i = 0; i < count; ++i) out[i] = At(begin + i);
}

void IdStream::ReadDocument(uint64_t document, std::vector<SymbolId>& out) const {
  const uint64_t begin = SymbolOffset(document);
  Read(begin, SymbolOffset(document + 1) - begin, out);
}

}  // namespace clm
