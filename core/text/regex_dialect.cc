#include "core/text/regex_dialect.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/text/regex_lexer.h"

namespace clm {
namespace {

// ---- to the shared syntax ----

class SharedWriter {
 public:
  SharedWriter(absl::string_view pattern, RegexDialect dialect) : pattern_(pattern), dialect_(dialect) {}

  absl::Status Write(const RegexToken& token);
  std::string Take() && { return std::move(out_); }

 private:
  absl::string_view TextOf(const RegexToken& token) const {
    return pattern_.substr(token.begin, token.end - token.begin);
  }
  absl::Status Refuse(const RegexToken& token, absl::string_view reason) const {
    return RegexRefused(pattern_, token.begin, reason);
  }
  absl::Status WriteQuantifier(const RegexToken& token);
  absl::Status WriteLineAnchor(const RegexToken& token);
  absl::Status WriteProperty(const RegexToken& token);

  absl::string_view pattern_;
  RegexDialect dialect_;
  std::string out_;
  size_t atom_begin_ = 0;             // in out_: what a quantifier would repeat
  std::vector<size_t> group_begins_;  // in out_
};

absl::Status SharedWriter::Write(const RegexToken& token) {
  if (!token.in_class && token.part != RegexPart::kQuantifier && token.part != RegexPart::kGroupEnd &&
      token.part != RegexPart::kClassEnd) {
    atom_begin_ = out_.size();
  }
  switch (token.part) {
    case RegexPart::kQuantifier:
      return WriteQuantifier(token);
    case RegexPart::kLineBegin:
    case RegexPart::kLineEnd:
      return WriteLineAnchor(token);
    case RegexPart::kProperty:
      return WriteProperty(token);
    case RegexPart::kCharType:
      if (dialect_ == RegexDialect::kTiktoken && absl::StrContains("wW", TextOf(token).substr(1))) {
        return Refuse(token, "\\w and \\W, which take joiners for letters here, are not supported");
      }
      break;
    case RegexPart::kGroupBegin:
      group_begins_.push_back(out_.size());
      break;
    case RegexPart::kGroupEnd:
      atom_begin_ = group_begins_.back();
      group_begins_.pop_back();
      break;
    default:
      break;
  }
  absl::StrAppend(&out_, TextOf(token));
  return absl::OkStatus();
}

absl::Status SharedWriter::WriteQuantifier(const RegexToken& token) {
  const absl::string_view text = TextOf(token);
  if (!absl::EndsWith(text, "}+")) {
    absl::StrAppend(&out_, text);
    return absl::OkStatus();
  }
  if (dialect_ == RegexDialect::kShared) {
    return Refuse(token, "{n,m}+ means different things to different programs; write (?>...{n,m})");
  }
  out_.insert(atom_begin_, dialect_ == RegexDialect::kTokenizers ? "(?:" : "(?>");
  absl::StrAppend(&out_, text.substr(0, text.size() - 1), dialect_ == RegexDialect::kTokenizers ? ")+" : ")");
  return absl::OkStatus();
}

absl::Status SharedWriter::WriteLineAnchor(const RegexToken& token) {
  const bool is_begin = token.part == RegexPart::kLineBegin;
  if (dialect_ == RegexDialect::kShared) {
    return Refuse(token, "^ and $ mean different things to different programs; write \\A, \\z or (?=\\n|\\z)");
  }
  if (dialect_ == RegexDialect::kTiktoken) {
    absl::StrAppend(&out_, is_begin ? "\\A" : "\\z");
    return absl::OkStatus();
  }
  if (is_begin) return Refuse(token, "^, which stands at every line, is not supported");
  absl::StrAppend(&out_, "(?=\\n|\\z)");
  return absl::OkStatus();
}

absl::Status SharedWriter::WriteProperty(const RegexToken& token) {
  const absl::string_view text = TextOf(token);
  if (absl::EndsWith(text, "}")) {
    absl::StrAppend(&out_, text);
    return absl::OkStatus();
  }
  if (dialect_ != RegexDialect::kTiktoken) return Refuse(token, "\\p needs braces");
  absl::StrAppend(&out_, text.substr(0, 2), "{", text.substr(2), "}");
  return absl::OkStatus();
}

// ---- to PCRE2 ----

struct CategoryName {
  absl::string_view name;  // in lower case, without _
  absl::string_view category;
};

constexpr std::array<CategoryName, 40> kLongNames = {{
    {"any", "Any"},
    {"alphabetic", "Alphabetic"},
    {"letter", "L"},
    {"casedletter", "L&"},
    {"lc", "L&"},
    {"uppercaseletter", "Lu"},
    {"lowercaseletter", "Ll"},
    {"titlecaseletter", "Lt"},
    {"modifierletter", "Lm"},
    {"otherletter", "Lo"},
    {"mark", "M"},
    {"nonspacingmark", "Mn"},
    {"spacingmark", "Mc"},
    {"enclosingmark", "Me"},
    {"number", "N"},
    {"decimalnumber", "Nd"},
    {"letternumber", "Nl"},
    {"othernumber", "No"},
    {"punctuation", "P"},
    {"connectorpunctuation", "Pc"},
    {"dashpunctuation", "Pd"},
    {"openpunctuation", "Ps"},
    {"closepunctuation", "Pe"},
    {"initialpunctuation", "Pi"},
    {"finalpunctuation", "Pf"},
    {"otherpunctuation", "Po"},
    {"symbol", "S"},
    {"mathsymbol", "Sm"},
    {"currencysymbol", "Sc"},
    {"modifiersymbol", "Sk"},
    {"othersymbol", "So"},
    {"separator", "Z"},
    {"spaceseparator", "Zs"},
    {"lineseparator", "Zl"},
    {"paragraphseparator", "Zp"},
    {"other", "C"},
    {"control", "Cc"},
    {"format", "Cf"},
    {"unassigned", "Cn"},
    {"privateuse", "Co"},
}};

constexpr absl::string_view kCategories =
    "|c|cc|cf|cn|co|cs|l|ll|lm|lo|lt|lu|m|mc|me|mn|n|nd|nl|no|p|pc|pd|pe|pf|pi|po|ps|s|sc|sk|sm|so|z|zl|zp|zs|";

// What PCRE2 calls the property of `\p{name}`.
std::string PropertyName(absl::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '_') plain.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
  }
  const auto known = std::find_if(kLongNames.begin(), kLongNames.end(),
                                  [&plain](const CategoryName& entry) { return entry.name == plain; });
  if (known != kLongNames.end()) return std::string(known->category);
  if (absl::StrContains(kCategories, absl::StrCat("|", plain, "|"))) {
    plain[0] = absl::ascii_toupper(static_cast<unsigned char>(plain[0]));
    return plain;
  }
  return absl::StrCat("sc:", name);
}

// What \w matches besides TypeMembers where it does not stand in a class: Oniguruma has a table of its own for Latin-1.
constexpr absl::string_view kLatin1Words = R"(\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";

// The inside of a class that holds what \s, \d or \w match.
absl::string_view TypeMembers(char letter) {
  switch (absl::ascii_tolower(static_cast<unsigned char>(letter))) {
    case 's':
      return R"(\x{9}-\x{D}\x{20}\x{85}\p{Z})";
    case 'd':
      return R"(\p{Nd})";
    default:
      return R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
  }
}

class Pcre2Writer {
 public:
  explicit Pcre2Writer(absl::string_view pattern) : pattern_(pattern) {}

  void Write(const RegexToken& token);
  std::string Take() && { return std::move(out_); }

 private:
  void WriteType(const RegexToken& token);

  absl::string_view pattern_;
  std::string out_;
};

void Pcre2Writer::Write(const RegexToken& token) {
  const absl::string_view text = pattern_.substr(token.begin, token.end - token.begin);
  switch (token.part) {
    case RegexPart::kCharacter:
    case RegexPart::kEscape:
      // By number, so that nothing has a meaning of its own.
      absl::StrAppend(&out_, absl::StrFormat("\\x{%X}", token.code_point));
      return;
    case RegexPart::kDash:
      absl::StrAppend(&out_, "\\-");
      return;
    case RegexPart::kAny:
      absl::StrAppend(&out_, "[^\\n]");
      return;
    case RegexPart::kCharType:
      WriteType(token);
      return;
    case RegexPart::kProperty:
      absl::StrAppend(&out_, text.substr(0, 2), "{", PropertyName(text.substr(3, text.size() - 4)), "}");
      return;
    case RegexPart::kClassBegin:
    case RegexPart::kClassEnd:
      if (!token.in_class) absl::StrAppend(&out_, text);  // a union within a class needs no brackets
      return;
    default:
      absl::StrAppend(&out_, text);
  }
}

void Pcre2Writer::WriteType(const RegexToken& token) {
  const char letter = pattern_[token.begin + 1];
  const bool negated = absl::ascii_isupper(static_cast<unsigned char>(letter));
  if (!token.in_class) {
    const bool is_word = letter == 'w' || letter == 'W';
    absl::StrAppend(&out_, negated ? "[^" : "[", TypeMembers(letter), is_word ? kLatin1Words : "", "]");
  } else {
    absl::StrAppend(&out_, negated ? absl::string_view("\\P{Nd}") : TypeMembers(letter));  // \D is the only one left
  }
}

}  // namespace

absl::StatusOr<std::string> ToSharedRegex(absl::string_view pattern, RegexDialect dialect) {
  CLM_ASSIGN_OR_RETURN(const std::vector<RegexToken> tokens, LexRegex(pattern));
  SharedWriter writer(pattern, dialect);
  for (const RegexToken& token : tokens) CLM_RETURN_IF_ERROR(writer.Write(token));
  return std::move(writer).Take();
}

absl::StatusOr<std::string> ToPcre2Regex(absl::string_view shared_pattern) {
  CLM_ASSIGN_OR_RETURN(const std::string checked, ToSharedRegex(shared_pattern, RegexDialect::kShared));
  CLM_ASSIGN_OR_RETURN(const std::vector<RegexToken> tokens, LexRegex(checked));
  Pcre2Writer writer(checked);
  for (const RegexToken& token : tokens) writer.Write(token);
  return std::move(writer).Take();
}

}  // namespace clm
