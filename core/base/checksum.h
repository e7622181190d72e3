// CRC-32C (Castagnoli), for damage by accident. For identity use digest.h.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace clm {

// CRC-32C of `data`, continuing from `crc` (0 to start): Crc32c(b, Crc32c(a)) == Crc32c(a + b).
// Reference value (RFC 3720 B.4): 32 zero bytes give 0x8a9136aa. Hardware instruction when present, same values
// without.
uint32_t Crc32c(absl::string_view data, uint32_t crc = 0);
// The way without the instruction, on every machine.
uint32_t Crc32cPortable(absl::string_view data, uint32_t crc = 0);

}  // namespace clm
