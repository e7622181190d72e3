// Representation: a map between the bytes of one document and the symbols a model predicts.
//
// A lossless representation satisfies Decode(Encode(d)) == d for EVERY byte string, valid UTF-8 or not. Encode never
// emits the boundary symbol; whoever builds streams appends it after each document.
//
// Streaming: the output of an encoder or decoder does not depend on how its input was cut into pieces.
//
// Thread-safety: a Representation is immutable and may be shared by threads; an encoder or decoder belongs to one
// thread and must not outlive its representation.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/representation/vocab_layout.h"

namespace clm {

// Bytes in pieces to symbols.
class StreamingEncoder {
 public:
  virtual ~StreamingEncoder() = default;
  // Appends to `out` the symbols that `bytes` settles; the rest waits.
  virtual absl::Status Push(absl::string_view bytes, std::vector<SymbolId>& out) = 0;
  // End of the document: appends what still waits. The encoder is then ready for the next document.
  virtual absl::Status Finish(std::vector<SymbolId>& out) = 0;
};

// Symbols in pieces to bytes. A boundary symbol contributes no bytes.
class StreamingDecoder {
 public:
  virtual ~StreamingDecoder() = default;
  // OUT_OF_RANGE names the position (counted from the start of the document) of the first unknown id.
  virtual absl::Status Push(std::span<const SymbolId> symbols, std::string& out) = 0;
  virtual absl::Status Finish(std::string& out) = 0;
};

class Representation {
 public:
  virtual ~Representation() = default;

  // "byte", "token", "coordinate", ...
  virtual std::string kind() const = 0;
  virtual bool lossless() const = 0;
  virtual const VocabLayout& layout() const = 0;
  // 64 hex digits over everything that decides the mapping (kind, version, tokenizer, universe).
  virtual std::string fingerprint() const = 0;

  // Symbols of a whole document, without boundary.
  virtual absl::StatusOr<std::vector<SymbolId>> Encode(absl::string_view document) const = 0;
  // Bytes of whole documents' symbols. OUT_OF_RANGE names position, id and vocabulary size.
  virtual absl::StatusOr<std::string> Decode(std::span<const SymbolId> symbols) const = 0;
  // The bytes one symbol stands for (empty for boundary and other specials). Requires symbol < layout().vocab_size.
  virtual absl::string_view SymbolBytes(SymbolId symbol) const = 0;

  virtual std::unique_ptr<StreamingEncoder> NewEncoder() const = 0;
  virtual std::unique_ptr<StreamingDecoder> NewDecoder() const = 0;
};

}  // namespace clm
