// PieceStream: turns decoded symbols into pieces of settled text; the bookkeeping behind Generator's promises.
//
// Bytes enter by Add() in the order of their symbols. They leave in pieces once no stop string and no UTF-8 character
// can begin in them and end later. A symbol leaves with its last byte.
//
// Thread-safety: not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/generate/generator.h"
#include "core/generate/stop_matcher.h"

namespace clm {

class PieceStream {
 public:
  PieceStream(StopMatcher stops, bool complete_utf8) : stops_(std::move(stops)), complete_utf8_(complete_utf8) {}

  // Takes the bytes of `symbol` (may be none). Returns whether a stop string is now complete; then the only call
  // allowed is Finish().
  bool Add(SymbolId symbol, absl::string_view bytes);
  // Takes bytes that belong to no new symbol: what a decoder held back until its end.
  bool AddTail(absl::string_view bytes);
  // What has settled since the last piece; may be empty.
  GeneratedPiece Take();
  // The end: everything before the stop string if there is one, else everything, and the symbols of that text.
  // Symbols that begin at or behind the stop string are dropped, except those without bytes before it.
  GeneratedPiece Finish();
  // After Finish(): bytes of the last symbol handed out that lie behind the beginning of the stop string.
  uint64_t cut_bytes() const { return cut_bytes_; }

 private:
  struct Pending {
    SymbolId id;
    uint64_t begin;  // bytes of all text before this symbol
    uint64_t end;
  };

  // Moves the first `count` bytes of held_ and the symbols that end there into a piece.
  GeneratedPiece Emit(size_t count);

  const StopMatcher stops_;
  const bool complete_utf8_;
  std::string held_;             // bytes not handed out yet
  uint64_t handed_out_ = 0;      // bytes handed out
  std::deque<Pending> symbols_;  // not handed out yet
  bool stopped_ = false;
  size_t stop_position_ = 0;  // in held_
  uint64_t cut_bytes_ = 0;
};

}  // namespace clm
