#include <cstdio>

#include "core/base/checksum.h"
#include "core/base/units.h"

// The reference value of RFC 3720 B.4, and 8 bits for a byte that costs 8 ln 2 nats.
int main() {
  const char zeros[32] = {};
  const bool crc_agrees = clm::Crc32c(absl::string_view(zeros, sizeof(zeros))) == 0x8a9136aa;
  const double bits = clm::BitsPerByte(8 * clm::kNatsPerBit, 1);
  std::printf("crc %s, %.1f bits\n", crc_agrees ? "agrees" : "differs", bits);
  return crc_agrees && bits > 7.99 && bits < 8.01 ? 0 : 1;
}
