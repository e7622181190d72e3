#include "core/codec/compare_baselines.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <array>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr size_t kStepBytes = size_t{64} << 10;
using Scratch = std::array<uint8_t, kStepBytes>;

absl::Status LibraryError(absl::string_view name, int code) {
  return absl::ResourceExhaustedError(
      absl::StrCat(name, " failed with code ", code, ", most likely for lack of memory"));
}

// The next piece of `data`, removed from it.
absl::string_view NextPiece(absl::string_view& data) {
  const absl::string_view piece = data.substr(0, kStepBytes);
  data.remove_prefix(piece.size());
  return piece;
}

absl::StatusOr<uint64_t> GzipSize(absl::string_view data, const CancellationToken& cancel) {
  constexpr int kGzipWindow = 15 + 16;  // 32 KiB window, gzip header and trailer
  z_stream stream = {};
  if (const int code = deflateInit2(&stream, 9, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY); code != Z_OK) {
    return LibraryError("zlib", code);
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, deflateEnd);
  auto scratch = std::make_unique<Scratch>();
  uint64_t size = 0;
  for (int code = Z_OK; code != Z_STREAM_END;) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    if (stream.avail_in == 0) {
      const absl::string_view piece = NextPiece(data);
      // zlib does not write to its input.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
      stream.avail_in = static_cast<uInt>(piece.size());
    }
    stream.next_out = scratch->data();
    stream.avail_out = static_cast<uInt>(scratch->size());
    code = deflate(&stream, data.empty() ? Z_FINISH : Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return LibraryError("zlib", code);
    size += scratch->size() - stream.avail_out;
  }
  return size;
}

absl::StatusOr<uint64_t> XzSize(absl::string_view data, const CancellationToken& cancel) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (const lzma_ret code = lzma_easy_encoder(&stream, 9 | LZMA_PRESET_EXTREME, LZMA_CHECK_CRC64); code != LZMA_OK) {
    return LibraryError("liblzma", code);
  }
  const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> owner(&stream, lzma_end);
  auto scratch = std::make_unique<Scratch>();
  uint64_t size = 0;
  for (lzma_ret code = LZMA_OK; code != LZMA_STREAM_END;) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    if (stream.avail_in == 0) {
      const absl::string_view piece = NextPiece(data);
      stream.next_in = reinterpret_cast<const uint8_t*>(piece.data());
      stream.avail_in = piece.size();
    }
    stream.next_out = scratch->data();
    stream.avail_out = scratch->size();
    code = lzma_code(&stream, data.empty() ? LZMA_FINISH : LZMA_RUN);
    if (code != LZMA_OK && code != LZMA_STREAM_END) return LibraryError("liblzma", code);
    size += scratch->size() - stream.avail_out;
  }
  return size;
}

using ZstdContext = std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)>;

// null when there is no memory.
ZstdContext MakeZstdContext(size_t data_bytes) {
  ZstdContext context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (context == nullptr) return context;
  const bool failed = ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, 19)) != 0 ||
                      ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1)) != 0 ||
                      ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context.get(), data_bytes)) != 0;
  if (failed) context.reset();
  return context;
}

absl::StatusOr<uint64_t> ZstdSize(absl::string_view data, const CancellationToken& cancel) {
  const ZstdContext context = MakeZstdContext(data.size());
  if (context == nullptr) return LibraryError("zstd", 0);
  auto scratch = std::make_unique<Scratch>();
  uint64_t size = 0;
  ZSTD_inBuffer in = {.src = nullptr, .size = 0, .pos = 0};
  for (size_t left = 1; !data.empty() || left != 0;) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    if (in.pos == in.size) {
      const absl::string_view piece = NextPiece(data);
      in = {.src = piece.data(), .size = piece.size(), .pos = 0};
    }
    ZSTD_outBuffer out = {.dst = scratch->data(), .size = scratch->size(), .pos = 0};
    const bool last = data.empty();
    left = ZSTD_compressStream2(context.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0) return LibraryError("zstd", static_cast<int>(ZSTD_getErrorCode(left)));
    if (!last) left = 1;
    size += out.pos;
  }
  return size;
}

}  // namespace

absl::StatusOr<std::vector<BaselineSize>> CompareBaselines(absl::string_view data, const CancellationToken& cancel,
                                                           const Clock& clock) {
  if (data.size() > kMaxBaselineBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("comparing ", data.size(), " bytes, the limit is ", kMaxBaselineBytes));
  }
  struct Baseline {
    absl::string_view name;
    absl::StatusOr<uint64_t> (*size)(absl::string_view, const CancellationToken&);
  };
  std::vector<BaselineSize> sizes;
  for (const Baseline& baseline :
       {Baseline{"gzip -9", GzipSize}, Baseline{"xz -9e", XzSize}, Baseline{"zstd -19", ZstdSize}}) {
    const absl::Duration start = clock.Monotonic();
    CLM_ASSIGN_OR_RETURN(const uint64_t size, baseline.size(data, cancel));
    sizes.push_back({.name = std::string(baseline.name),
                     .size_bytes = size,
                     .seconds = absl::ToDoubleSeconds(clock.Monotonic() - start)});
  }
  return sizes;
}

}  // namespace clm
