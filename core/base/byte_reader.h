// ByteReader: bounds-checked little-endian reads from bytes that may be hostile.
//
//   ByteReader in(data);
//   uint32_t count;
//   if (!in.ReadU32(count) || count > in.remaining() / 8) return absl::DataLossError(...);
//
// A read past the end returns false, leaves its output and the position unchanged, and never touches memory outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "absl/strings/string_view.h"

namespace clm {

class ByteReader {
 public:
  explicit ByteReader(absl::string_view data) : data_(data) {}

  size_t position() const { return position_; }
  size_t remaining() const { return data_.size() - position_; }
  bool empty() const { return remaining() == 0; }

  [[nodiscard]] bool ReadU8(uint8_t& value) { return ReadLittleEndian(value); }
  [[nodiscard]] bool ReadU16(uint16_t& value) { return ReadLittleEndian(value); }
  [[nodiscard]] bool ReadU32(uint32_t& value) { return ReadLittleEndian(value); }
  [[nodiscard]] bool ReadU64(uint64_t& value) { return ReadLittleEndian(value); }

  // `value` points into the input.
  [[nodiscard]] bool ReadBytes(size_t length, absl::string_view& value) {
    if (length > remaining()) return false;
    value = data_.substr(position_, length);
    position_ += length;
    return true;
  }

 private:
  template <typename T>
  bool ReadLittleEndian(T& value) {
    static_assert(std::is_unsigned_v<T>);
    if (remaining() < sizeof(T)) return false;
    uint64_t result = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      result |= static_cast<uint64_t>(static_cast<uint8_t>(data_[position_ + i])) << (8 * i);
    }
    value = static_cast<T>(result);
    position_ += sizeof(T);
    return true;
  }

  absl::string_view data_;
  size_t position_ = 0;
};

}  // namespace clm
