// Texts that tests make for themselves: always the same for a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/rng.h"

namespace clm::testing {

// Words drawn from a small vocabulary: text-like, with contexts of every order and matches.
inline std::string Words(uint64_t seed, size_t bytes) {
  CounterRng rng(seed, "words", 0);
  std::string text;
  while (text.size() < bytes) {
    const uint64_t word = rng.NextBelow(60);
    text += static_cast<char>('a' + word % 26);
    text += static_cast<char>('a' + word % 7);
    if (word % 3 == 0) text += "ing";
    text += word % 11 == 0 ? ".\n" : " ";
  }
  text.resize(bytes);
  return text;
}

inline std::string Noise(uint64_t seed, size_t bytes) {
  CounterRng rng(seed, "noise", 0);
  std::string data(bytes, '\0');
  for (char& byte : data) byte = static_cast<char>(static_cast<uint8_t>(rng.NextU32()));
  return data;
}

}  // namespace clm::testing
