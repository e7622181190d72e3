// Pretokenizers one after the other: each cuts the pieces of the one before it, as if every piece were a document of
// its own. Files say so with several `Split` steps.
//
// The pattern of a chain is the patterns of its steps with kSplitStepSeparator between them.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/text/pretokenizer.h"

namespace clm {

inline constexpr char kSplitStepSeparator = '\x1E';  // U+001E; a pattern that means the character writes \x1E
inline constexpr size_t kMaxSplitSteps = 16;

// The pretokenizer of `pattern`, which holds at least one separator. The last step may be any that MakePretokenizer
// knows, the others are found by PCRE2. Errors: those of the steps; INVALID_ARGUMENT for an empty step,
// RESOURCE_EXHAUSTED over kMaxSplitSteps.
absl::StatusOr<std::unique_ptr<const Pretokenizer>> MakePretokenizerChain(absl::string_view pattern);

}  // namespace clm
