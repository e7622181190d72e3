#include "core/representation/vocab_layout.h"

#include "absl/strings/str_cat.h"

namespace clm {

absl::Status VocabLayout::Validate() const {
  SymbolId next = 0;
  for (const VocabRange& range : ranges) {
    const std::string name =
        absl::StrCat("vocabulary range '", range.meaning, "' [", range.begin, ", ", range.end, ")");
    if (range.meaning.empty()) return absl::InvalidArgumentError(absl::StrCat(name, " has no meaning"));
    if (range.begin != next) {
      return absl::InvalidArgumentError(absl::StrCat(name, " does not begin at ", next, ", where the last one ends"));
    }
    if (range.end <= range.begin) return absl::InvalidArgumentError(absl::StrCat(name, " is empty"));
    if (range.end > vocab_size) {
      return absl::InvalidArgumentError(absl::StrCat(name, " ends beyond the vocabulary size ", vocab_size));
    }
    next = range.end;
  }
  if (next != vocab_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("vocabulary ranges end at ", next, ", the vocabulary size is ", vocab_size));
  }
  if (boundary >= vocab_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("boundary ", boundary, " is not below the vocabulary size ", vocab_size));
  }
  return absl::OkStatus();
}

}  // namespace clm
