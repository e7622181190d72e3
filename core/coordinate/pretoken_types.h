// PretokenTypes: documents as their distinct pretokens with counts, for layers that stay inside pretokens.
//
// Such layers do the same to every occurrence of a pretoken, and texts repeat theirs: counting and folding the distinct
// ones, each with its number of occurrences, gives the same layers for a fraction of the work and memory. The order of
// occurrences is kept only where later layers look across pretokens: Expand() then writes the documents out again,
// folded as the types were.
//
// A pretoken begins at a symbol with a start flag, behind a separator, and where a document begins. Those of one symbol
// with a flag fold with nothing and are only counted.
//
// Thread-safety: one thread.
// Memory: four bytes for each symbol of the distinct pretokens, about 24 for each of them, and with the order kept four
// for each occurrence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/base/thread_pool.h"
#include "core/coordinate/symbol_pair.h"
#include "core/coordinate/symbol_stream.h"

namespace clm {

class PretokenTypes {
 public:
  // `base_size`: ids are below it.
  PretokenTypes(uint32_t base_size, bool keep_order);
  PretokenTypes(const PretokenTypes&) = delete;
  PretokenTypes& operator=(const PretokenTypes&) = delete;

  bool keeps_order() const { return keep_order_; }

  // A document with separators in place of its boundary symbols and behind its last symbol. RESOURCE_EXHAUSTED for more
  // than 2^31 - 1 distinct pretokens or 2^32 symbols in them.
  absl::Status Add(std::span<const PackedSymbol> document);

  // The distinct pretokens, each a document with its count as weight.
  absl::Status WriteTypes(SymbolStream& out) const;
  // The documents again, each pretoken as `types` (written by WriteTypes, then folded) has it. Requires keep_order.
  absl::Status Expand(const SymbolStream& types, const CancellationToken& cancel, SymbolStream& out) const;
  // The documents as they were added. Requires keep_order.
  absl::Status WriteDocuments(SymbolStream& out) const;

  // Forgets the pretokens and the order, but not the single symbols.
  void Clear();

  // Occurrences of each symbol as a pretoken of its own; WriteTypes leaves them out, so whoever counts symbols adds
  // them.
  std::span<const uint64_t> singles() const { return singles_; }
  uint64_t memory_bytes() const;

 private:
  struct Type {
    uint64_t begin = 0;  // in the arena
    uint64_t count = 0;
  };
  using Content = absl::Span<const PackedSymbol>;
  struct Hash {
    using is_transparent = void;
    const PretokenTypes* types;
    size_t operator()(Content content) const { return absl::Hash<Content>()(content); }
    size_t operator()(uint32_t type) const { return (*this)(types->ContentOf(type)); }
  };
  struct Equal {
    using is_transparent = void;
    const PretokenTypes* types;
    Content AsContent(Content content) const { return content; }
    Content AsContent(uint32_t type) const { return types->ContentOf(type); }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return AsContent(a) == AsContent(b);
    }
  };

  Content ContentOf(uint32_t type) const {
    const uint64_t end = type + 1 == types_.size() ? arena_.size() : types_[type + 1].begin;
    return Content(arena_).subspan(types_[type].begin, end - types_[type].begin);
  }
  absl::Status AddPretoken(std::span<const PackedSymbol> pretoken);

  const bool keep_order_;
  std::vector<uint64_t> singles_;
  std::vector<PackedSymbol> arena_;
  std::vector<Type> types_;
  absl::flat_hash_set<uint32_t, Hash, Equal> index_;
  // An occurrence each: a type, or a symbol with its start flag, or a separator.
  std::vector<PackedSymbol> order_;
};

}  // namespace clm
