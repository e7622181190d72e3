// RepresentationFingerprint: the identity of a map between bytes and symbols.
#pragma once

#include <span>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/digest.h"

namespace clm {

// SHA-256, 64 hex digits, over a version, the kind and the fingerprints of the tables it works with, in order.
inline std::string RepresentationFingerprint(absl::string_view kind, std::span<const absl::string_view> tables) {
  Sha256 hash;
  hash.Update("clm representation 1\n");
  hash.Update(kind);
  for (const absl::string_view table : tables) {
    hash.Update("\n");
    hash.Update(table);
  }
  return ToHex(hash.Finish());
}

}  // namespace clm
