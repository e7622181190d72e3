#include "core/data/input_stream.h"

#include <zlib.h>
#include <zstd.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

class PlainInput final : public InputStream {
 public:
  explicit PlainInput(std::unique_ptr<RandomAccessFile> file) : file_(std::move(file)) {}

  absl::Status Read(std::string& out) override {
    CLM_RETURN_IF_ERROR(file_->Read(position_, kChunkBytes, out));
    position_ += out.size();
    return absl::OkStatus();
  }
  uint64_t stored_bytes_read() const override { return position_; }

 private:
  std::unique_ptr<RandomAccessFile> file_;
  uint64_t position_ = 0;
};

absl::Status EndsEarly(const std::string& path, absl::string_view kind) {
  return absl::DataLossError(absl::StrCat(path, ": the ", kind, " data end early"));
}

// A compressed file and the piece of it that the decompressor works on.
class CompressedInput : public InputStream {
 public:
  uint64_t stored_bytes_read() const override { return source_.stored_bytes_read(); }

 protected:
  CompressedInput(std::string path, PlainInput source) : path_(std::move(path)), source_(std::move(source)) {}

  // Replaces `chunk_`.
  absl::Status ReadChunk() {
    CLM_RETURN_IF_ERROR(source_.Read(chunk_));
    source_ended_ = chunk_.empty();
    return absl::OkStatus();
  }

  const std::string path_;
  std::string chunk_;
  bool source_ended_ = false;

 private:
  PlainInput source_;
};

class GzipInput final : public CompressedInput {
 public:
  static absl::StatusOr<std::unique_ptr<InputStream>> Open(std::string path, PlainInput source) {
    auto input = std::make_unique<GzipInput>(std::move(path), std::move(source));
    // 16: a gzip header and trailer around the deflate data.
    if (inflateInit2(&input->stream_, 16 + MAX_WBITS) != Z_OK) {
      return absl::ResourceExhaustedError("no memory for a gzip decompressor");
    }
    input->initialised_ = true;
    return input;
  }

  GzipInput(std::string path, PlainInput source) : CompressedInput(std::move(path), std::move(source)) {}
  ~GzipInput() override {
    if (initialised_) inflateEnd(&stream_);
  }
  GzipInput(const GzipInput&) = delete;
  GzipInput& operator=(const GzipInput&) = delete;

  absl::Status Read(std::string& out) override {
    out.clear();
    while (out.empty()) {
      if (stream_.avail_in == 0 && !output_was_full_) CLM_RETURN_IF_ERROR(Refill());
      if (!in_member_ && members_ > 0) SkipPadding();
      if (stream_.avail_in == 0 && !output_was_full_) {
        if (!source_ended_) continue;
        return in_member_ || members_ == 0 ? EndsEarly(path_, "gzip") : absl::OkStatus();
      }
      CLM_RETURN_IF_ERROR(Inflate(out));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Refill() {
    CLM_RETURN_IF_ERROR(ReadChunk());
    stream_.next_in = reinterpret_cast<Bytef*>(chunk_.data());
    stream_.avail_in = static_cast<uInt>(chunk_.size());
    return absl::OkStatus();
  }

  void SkipPadding() {
    while (stream_.avail_in > 0 && *stream_.next_in == 0) {
      ++stream_.next_in;
      --stream_.avail_in;
    }
  }

  absl::Status Inflate(std::string& out) {
    if (!in_member_) {
      inflateReset(&stream_);
      in_member_ = true;
    }
    out.resize(kChunkBytes);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int code = inflate(&stream_, Z_NO_FLUSH);
    out.resize(out.size() - stream_.avail_out);
    output_was_full_ = out.size() == kChunkBytes && code == Z_OK;
    if (code == Z_STREAM_END) {
      in_member_ = false;
      ++members_;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {  // Z_BUF_ERROR: wants more input, nothing is wrong
      return absl::DataLossError(absl::StrCat(path_, ": damaged gzip data in member ", members_ + 1, ": ",
                                              stream_.msg != nullptr ? stream_.msg : zError(code)));
    }
    return absl::OkStatus();
  }

  z_stream stream_{};
  bool initialised_ = false;
  bool in_member_ = false;
  bool output_was_full_ = false;  // the decompressor may hold more output without more input
  uint64_t members_ = 0;
};

class ZstdInput final : public CompressedInput {
 public:
  static absl::StatusOr<std::unique_ptr<InputStream>> Open(std::string path, PlainInput source) {
    auto input = std::make_unique<ZstdInput>(std::move(path), std::move(source));
    if (input->context_ == nullptr) return absl::ResourceExhaustedError("no memory for a zstd decompressor");
    return input;
  }

  ZstdInput(std::string path, PlainInput source)
      : CompressedInput(std::move(path), std::move(source)), context_(ZSTD_createDCtx(), &ZSTD_freeDCtx) {}

  absl::Status Read(std::string& out) override {
    out.clear();
    while (out.empty()) {
      if (input_.pos == input_.size && !output_was_full_) CLM_RETURN_IF_ERROR(Refill());
      if (source_ended_) return in_frame_ ? EndsEarly(path_, "zstd") : absl::OkStatus();
      out.resize(kChunkBytes);
      ZSTD_outBuffer output{out.data(), out.size(), 0};
      const size_t hint = ZSTD_decompressStream(context_.get(), &output, &input_);
      out.resize(output.pos);
      if (ZSTD_isError(hint) != 0) {
        return absl::DataLossError(absl::StrCat(path_, ": damaged zstd data: ", ZSTD_getErrorName(hint)));
      }
      in_frame_ = hint != 0;
      output_was_full_ = in_frame_ && out.size() == kChunkBytes;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Refill() {
    CLM_RETURN_IF_ERROR(ReadChunk());
    input_ = {chunk_.data(), chunk_.size(), 0};
    return absl::OkStatus();
  }

  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool in_frame_ = true;  // an empty file is not a zstd file
  bool output_was_full_ = false;
};

}  // namespace

absl::string_view WithoutCompressionSuffix(absl::string_view path) {
  if (!absl::ConsumeSuffix(&path, ".gz")) absl::ConsumeSuffix(&path, ".zst");
  return path;
}

absl::StatusOr<std::unique_ptr<InputStream>> OpenInput(const FileSystem& files, const std::string& path) {
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, files.Open(path));
  PlainInput plain(std::move(file));
  if (absl::EndsWith(path, ".gz")) return GzipInput::Open(path, std::move(plain));
  if (absl::EndsWith(path, ".zst")) return ZstdInput::Open(path, std::move(plain));
  return std::make_unique<PlainInput>(std::move(plain));
}

}  // namespace clm
