// ByteWriter: little-endian appends to a string; the twin of ByteReader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace clm {

class ByteWriter {
 public:
  void WriteU8(uint8_t value) { WriteLittleEndian(value, 1); }
  void WriteU16(uint16_t value) { WriteLittleEndian(value, 2); }
  void WriteU32(uint32_t value) { WriteLittleEndian(value, 4); }
  void WriteU64(uint64_t value) { WriteLittleEndian(value, 8); }
  void WriteBytes(absl::string_view data) { buffer_.append(data.data(), data.size()); }

  size_t size() const { return buffer_.size(); }
  absl::string_view view() const { return buffer_; }
  std::string Take() { return std::move(buffer_); }

 private:
  void WriteLittleEndian(uint64_t value, size_t width) {
    for (size_t i = 0; i < width; ++i) buffer_.push_back(static_cast<char>(static_cast<uint8_t>(value >> (8 * i))));
  }

  std::string buffer_;
};

}  // namespace clm
