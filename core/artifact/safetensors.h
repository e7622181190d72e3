// Safetensors files: named tensors in one file, as the Hugging Face ecosystem reads and writes them.
//
//   header length  u64 little-endian, at most 100,000,000
//   header         JSON object: {"__metadata__":{"k":"v"},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}},
//                  padded with spaces to a multiple of 8
//   data           the tensors' bytes, little-endian, row-major, without holes or overlaps; offsets count from here
//
// The reader refuses: a header that is too long or is no such object, names or fields that occur twice, unknown fields
// or number types, offsets that do not cover the data exactly once, shapes that disagree with the bytes. Source: the
// format description of huggingface/safetensors (README, "Format").
//
// Thread-safety: SafetensorsFile is immutable. Ownership: it owns the mapped file; tensor views point into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"

namespace clm {

enum class TensorType : uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kF64,
  kI64,
  kU64
};

// "F32", "BF16", ...
absl::string_view TensorTypeName(TensorType type);
// 1, 2, 4 or 8.
size_t TensorTypeBytes(TensorType type);

struct TensorView {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<uint64_t> shape;  // empty for a scalar; a dimension may be 0
  absl::string_view bytes;  // product of shape * TensorTypeBytes(type); aligned to the type only if the writer did so
};

class SafetensorsFile {
 public:
  // Maps the file. DATA_LOSS naming the file and what is wrong with it.
  static absl::StatusOr<SafetensorsFile> Open(const FileSystem& files, const std::string& path);
  // `data` must outlive the result. DATA_LOSS naming the tensor or field.
  static absl::StatusOr<SafetensorsFile> Parse(absl::string_view data);

  SafetensorsFile(SafetensorsFile&&) noexcept = default;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept = default;

  // Sorted by name.
  std::span<const TensorView> tensors() const { return tensors_; }
  // Null when there is none of that name.
  const TensorView* Find(absl::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  SafetensorsFile() = default;

  std::unique_ptr<MappedFile> map_;  // null after Parse()
  std::vector<TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Writes `tensors` in the order of decreasing element size, then name, so that every tensor is aligned to its type;
// same input, same bytes. The file is synced and closed, its folder is not. INVALID_ARGUMENT naming the tensor: empty,
// double or reserved name, name or metadata not UTF-8, bytes that disagree with the shape. RESOURCE_EXHAUSTED for a
// header over the limit.
absl::Status WriteSafetensors(FileSystem& files, const std::string& path, std::span<const TensorView> tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace clm
