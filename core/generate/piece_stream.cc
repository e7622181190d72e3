#include "core/generate/piece_stream.h"

#include <optional>

#include "core/text/utf8.h"

namespace clm {

bool PieceStream::Add(SymbolId symbol, absl::string_view bytes) {
  const uint64_t begin = handed_out_ + held_.size();
  symbols_.push_back({symbol, begin, begin + bytes.size()});
  return AddTail(bytes);
}

bool PieceStream::AddTail(absl::string_view bytes) {
  held_.append(bytes.data(), bytes.size());
  // Nothing that was handed out can be the beginning of a stop string, so held_ is all there is to search.
  const std::optional<size_t> stop = stops_.Find(held_);
  stopped_ = stop.has_value();
  stop_position_ = stop.value_or(0);
  return stopped_;
}

GeneratedPiece PieceStream::Take() {
  size_t settled = held_.size() - stops_.PartialSuffix(held_);
  if (complete_utf8_) settled -= IncompleteUtf8Suffix(absl::string_view(held_).substr(0, settled));
  return Emit(settled);
}

GeneratedPiece PieceStream::Finish() {
  if (!stopped_) return Emit(held_.size());
  const uint64_t stop = handed_out_ + stop_position_;
  GeneratedPiece piece = Emit(stop_position_);
  // The symbol that the stop string begins inside of.
  if (!symbols_.empty() && symbols_.front().begin < stop) {
    piece.symbols.push_back(symbols_.front().id);
    cut_bytes_ = symbols_.front().end - stop;
  }
  return piece;
}

GeneratedPiece PieceStream::Emit(size_t count) {
  GeneratedPiece piece;
  piece.bytes = held_.substr(0, count);
  held_.erase(0, count);
  handed_out_ += count;
  while (!symbols_.empty() && symbols_.front().end <= handed_out_) {
    piece.symbols.push_back(symbols_.front().id);
    symbols_.pop_front();
  }
  return piece;
}

}  // namespace clm
