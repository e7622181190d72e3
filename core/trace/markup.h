// Text from outside inside XML.
//
// Thread-safety: functions without state.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace clm {

// Appends `text` so that an XML 1.0 parser gives it back as character data or attribute value: < > & and quotes become
// entities; newline and tab stay as they are; other control characters become their pictures (U+2400 and following, ␀);
// what XML forbids or UTF-8 does not allow is written as \xHH, byte by byte.
void AppendMarkup(absl::string_view text, std::string& out);

}  // namespace clm
