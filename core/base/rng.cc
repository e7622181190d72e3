#include "core/base/rng.h"

#include <bit>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/digest.h"

namespace clm {
namespace {

constexpr uint32_t kMultiplier0 = 0xd2511f53;
constexpr uint32_t kMultiplier1 = 0xcd9e8d57;
constexpr uint32_t kWeyl0 = 0x9e3779b9;
constexpr uint32_t kWeyl1 = 0xbb67ae85;
constexpr int kRounds = 10;

uint32_t LittleEndian32(const uint8_t* bytes) {
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

}  // namespace

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = uint64_t{kMultiplier0} * counter[0];
    const uint64_t product1 = uint64_t{kMultiplier1} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

CounterRng::CounterRng(uint64_t seed, absl::string_view purpose, uint64_t index)
    : counter_{0, 0, static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32)} {
  // The key is the start of a digest, so that neighbouring seeds and similar purposes are unrelated.
  const Sha256Digest digest = Sha256Of(absl::StrCat(seed, ":", purpose));
  key_ = {LittleEndian32(digest.data()), LittleEndian32(digest.data() + 4)};
}

void CounterRng::Refill() {
  block_ = Philox4x32(counter_, key_);
  if (++counter_[0] == 0) ++counter_[1];
  used_ = 0;
}

uint32_t CounterRng::NextU32() {
  if (used_ == 4) Refill();
  return block_[static_cast<size_t>(used_++)];
}

uint64_t CounterRng::NextU64() {
  const uint64_t low = NextU32();
  return low | uint64_t{NextU32()} << 32;
}

double CounterRng::NextDouble() { return static_cast<double>(NextU64() >> 11) * 0x1.0p-53; }

uint64_t CounterRng::NextBelow(uint64_t bound) {
  CLM_CHECK(bound > 0);
  // Rejects the values above the largest multiple of `bound`.
  const uint64_t limit = ~uint64_t{0} - (~uint64_t{0} % bound + 1) % bound;
  uint64_t value = NextU64();
  while (value > limit) value = NextU64();
  return value % bound;
}

}  // namespace clm
