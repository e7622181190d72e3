// ToyRepresentation: 256 byte symbols, a few longer strings, and the boundary as the last id. Encoding takes the
// longest match at each place. Small enough to check by hand, lossless for every byte string.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/representation/representation.h"

namespace clm::testing {

class ToyRepresentation final : public Representation {
 public:
  explicit ToyRepresentation(std::vector<std::string> strings, bool is_lossless = true) : lossless_(is_lossless) {
    for (int b = 0; b < 256; ++b) symbols_.emplace_back(1, static_cast<char>(b));
    for (std::string& text : strings) symbols_.push_back(std::move(text));
    layout_.boundary = static_cast<SymbolId>(symbols_.size());
    layout_.vocab_size = layout_.boundary + 1;
    layout_.ranges = {
        {"byte", 0, 256}, {"token", 256, layout_.boundary}, {"special", layout_.boundary, layout_.vocab_size}};
    symbols_.emplace_back();
  }

  std::string kind() const override { return "toy"; }
  bool lossless() const override { return lossless_; }
  const VocabLayout& layout() const override { return layout_; }
  std::string fingerprint() const override { return std::string(64, 'f'); }

  absl::StatusOr<std::vector<SymbolId>> Encode(absl::string_view document) const override {
    std::vector<SymbolId> ids;
    while (!document.empty()) {
      SymbolId best = static_cast<uint8_t>(document[0]);
      for (SymbolId id = 256; id < layout_.boundary; ++id) {
        if (symbols_[id].size() > symbols_[best].size() && absl::StartsWith(document, symbols_[id])) best = id;
      }
      ids.push_back(best);
      document.remove_prefix(symbols_[best].size());
    }
    return ids;
  }

  absl::StatusOr<std::string> Decode(std::span<const SymbolId> ids) const override {
    std::string bytes;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] >= layout_.vocab_size) {
        return absl::OutOfRangeError(absl::StrCat("position ", i, ": id ", ids[i], " of ", layout_.vocab_size));
      }
      bytes += symbols_[ids[i]];
    }
    return bytes;
  }

  absl::string_view SymbolBytes(SymbolId symbol) const override { return symbols_[symbol]; }

  std::unique_ptr<StreamingEncoder> NewEncoder() const override { return std::make_unique<Encoder>(*this); }
  std::unique_ptr<StreamingDecoder> NewDecoder() const override { return std::make_unique<Decoder>(*this); }

 private:
  class Encoder final : public StreamingEncoder {
   public:
    explicit Encoder(const ToyRepresentation& owner) : owner_(owner) {}
    absl::Status Push(absl::string_view bytes, std::vector<SymbolId>&) override {
      waiting_.append(bytes.data(), bytes.size());
      return absl::OkStatus();
    }
    absl::Status Finish(std::vector<SymbolId>& out) override {
      const std::vector<SymbolId> ids = *owner_.Encode(waiting_);
      out.insert(out.end(), ids.begin(), ids.end());
      waiting_.clear();
      return absl::OkStatus();
    }

   private:
    const ToyRepresentation& owner_;
    std::string waiting_;
  };

  class Decoder final : public StreamingDecoder {
   public:
    explicit Decoder(const ToyRepresentation& owner) : owner_(owner) {}
    absl::Status Push(std::span<const SymbolId> symbols, std::string& out) override {
      const absl::StatusOr<std::string> bytes = owner_.Decode(symbols);
      if (bytes.ok()) out += *bytes;
      return bytes.status();
    }
    absl::Status Finish(std::string&) override { return absl::OkStatus(); }

   private:
    const ToyRepresentation& owner_;
  };

  const bool lossless_;
  std::vector<std::string> symbols_;
  VocabLayout layout_;
};

}  // namespace clm::testing
