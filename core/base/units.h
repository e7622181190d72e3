// Units: the conversions that numbers of this project go through, in one place.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

namespace clm {

inline constexpr double kNatsPerBit = 0.693147180559945309417;

// nats: summed negative log-likelihood, base e, end-of-text included. original_bytes: length of the ORIGINAL text; > 0.
inline double BitsPerByte(double nats, double original_bytes) { return nats / (original_bytes * kNatsPerBit); }

// "1.5 MiB", "312 B": for people; machine output carries plain numbers.
std::string FormatBytes(uint64_t bytes);
// "0.4s", "3m 20s", "1h 05m": for people. "unknown" for what is negative or not a number.
std::string FormatSeconds(double seconds);

}  // namespace clm
