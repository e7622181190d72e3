// SHA-256, the identity of every stored thing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace clm {

using Sha256Digest = std::array<uint8_t, 32>;

// Incremental SHA-256 (OpenSSL). Move-only; not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(absl::string_view data);
  // Ends the computation; the object must not be used afterwards.
  Sha256Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256Digest Sha256Of(absl::string_view data);
// 64 lower-case hex digits.
std::string ToHex(const Sha256Digest& digest);
// Sha256Of(data) in hex.
std::string Sha256Hex(absl::string_view data);

}  // namespace clm
