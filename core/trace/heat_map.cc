#include "core/trace/heat_map.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/text/utf8.h"
#include "core/trace/markup.h"

namespace clm {
namespace {

// 256 colours, six hex digits each.
constexpr absl::string_view kInfernoHex =
    "00000300000400000601000701010901010b02010e02021003021204031404031605041806041b07051d08061f0906210a07230b0726"
    "0d08280e082a0f092d10092f120a32130a34140b36160b39170b3b190b3e1a0b401c0c431d0c451f0c47200c4a220b4c240b4e260b50"
    "270b52290b542b0a562d0a582e0a5a300a5c32095d34095f3509603709613909623b09643c09653e0966400966410967430a68450a69"
    "460a69480b6a4a0b6a4b0c6b4d0c6b4f0d6c500d6c520e6c530e6d550f6d570f6d58106d5a116d5b116e5d126e5f126e60136e62146e"
    "63146e65156e66156e68166e6a176e6b176e6d186e6e186e70196e72196d731a6d751b6d761b6d781c6d7a1c6d7b1d6c7d1d6c7e1e6c"
    "801f6b811f6b83206b85206a86216a88216a8922698b22698d23698e24689024689125679325679526669626669827659928649b2864"
    "9c29639e2963a02a62a12b61a32b61a42c60a62c5fa72d5fa92e5eab2e5dac2f5cae305baf315bb1315ab23259b43358b53357b73456"
    "b83556ba3655bb3754bd3753be3852bf3951c13a50c23b4fc43c4ec53d4dc73e4cc83e4bc93f4acb4049cc4148cd4247cf4446d04544"
    "d14643d24742d44841d54940d64a3fd74b3ed94d3dda4e3bdb4f3adc5039dd5238de5337df5436e05634e25733e35832e45a31e55b30"
    "e65c2ee65e2de75f2ce8612be9622aea6428eb6527ec6726ed6825ed6a23ee6c22ef6d21f06f1ff0701ef1721df2741cf2751af37719"
    "f37918f47a16f57c15f57e14f68012f68111f78310f7850ef8870df8880cf88a0bf98c09f98e08f99008fa9107fa9306fa9506fa9706"
    "fb9906fb9b06fb9d06fb9e07fba007fba208fba40afba60bfba80dfbaa0efbac10fbae12fbb014fbb116fbb318fbb51afbb71cfbb91e"
    "fabb21fabd23fabf25fac128f9c32af9c52cf9c72ff8c931f8cb34f8cd37f7cf3af7d13cf6d33ff6d542f5d745f5d948f4db4bf4dc4f"
    "f3de52f3e056f3e259f2e45df2e660f1e864f1e968f1eb6cf1ed70f1ee74f1f079f1f27df2f381f2f485f3f689f4f78df5f891f6fa95"
    "f7fb99f9fc9dfafda0fcfea4";

constexpr absl::string_view kPageStart = R"(<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta charset="UTF-8"/>
<title>@</title>
<style>
body { background: #000; color: #fff; font-family: sans-serif; margin: 1em 2em; }
h1 { font-size: 1.1em; font-weight: normal; color: #bbb; }
h2 { font-size: 1.1em; }
.row { display: flex; gap: 2em; }
.column { flex: 1; min-width: 0; }
.tcol { white-space: pre-wrap; overflow-wrap: anywhere; font-family: serif; line-height: 1.4; }
</style>
</head>
<body>
<h1>@</h1>
<div class="row">
)";

uint8_t HexDigit(char digit) { return static_cast<uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

// What each row shows: whole characters, and all bytes of all rows in order.
std::vector<std::string> ShownTexts(const Representation& representation, std::span<const TraceRow> rows) {
  std::vector<std::string> texts(rows.size());
  std::string held;  // the beginning of a character
  for (size_t i = 0; i < rows.size(); ++i) {
    const absl::string_view own = representation.SymbolBytes(rows[i].token);
    absl::StrAppend(&held, own);
    const size_t whole = held.size() - IncompleteUtf8Suffix(held);
    AppendMarkup(absl::string_view(held).substr(0, whole), texts[i]);
    held.erase(0, whole);
    if (texts[i].empty() && !own.empty()) texts[i] = "\xC2\xB7";  // a middle dot
  }
  if (!rows.empty()) AppendMarkup(held, texts.back());
  return texts;
}

std::string Tooltip(const TraceRow& row, size_t index) {
  if (!row.asked()) return absl::StrFormat("#%d token %d, not asked", index, row.token);
  const std::string rank = row.rank == kMissRank ? "miss" : absl::StrCat("rank ", row.rank);
  return absl::StrFormat("#%d token %d, %s, p %.6f, %.2f bits", index, row.token, rank, row.probability, row.bits);
}

void AppendColumn(absl::string_view heading, std::span<const TraceRow> rows, std::span<const std::string> texts,
                  double (*heat)(const TraceRow&), std::string& out) {
  absl::StrAppend(&out, "<div class=\"column\">\n<h2>", heading, "</h2>\n<div class=\"tcol\">");
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::array<uint8_t, 3> color = Inferno(0.5 + 0.5 * heat(rows[i]));
    absl::StrAppendFormat(&out, "<span style=\"color:#%02x%02x%02x\" title=\"%s\">%s</span>", color[0], color[1],
                          color[2], Tooltip(rows[i], i), texts[i]);
  }
  out += "</div>\n</div>\n";
}

}  // namespace

std::array<uint8_t, 3> Inferno(double value) {
  const auto index = static_cast<size_t>(std::clamp(value * 256, 0.0, 255.0));
  std::array<uint8_t, 3> color{};
  for (size_t i = 0; i < color.size(); ++i) {
    const size_t at = 6 * index + 2 * i;
    color[i] = static_cast<uint8_t>(16 * HexDigit(kInfernoHex[at]) + HexDigit(kInfernoHex[at + 1]));
  }
  return color;
}

double DepthHeat(const TraceRow& row) {
  return row.rank == kMissRank ? 1.0 : static_cast<double>(std::min(row.rank, 16)) / 16;
}

double ProbabilityHeat(const TraceRow& row) {
  return row.rank == kMissRank ? 1.0 : std::clamp(1.0 - std::sqrt(row.probability), 0.0, 1.0);
}

absl::StatusOr<std::string> HeatMapHtml(const Representation& representation, std::span<const TraceRow> rows,
                                        absl::string_view title) {
  if (rows.size() > kMaxHeatMapRows) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a heat map of ", rows.size(), " symbols, the limit is ", kMaxHeatMapRows));
  }
  for (const TraceRow& row : rows) {
    if (row.token < representation.layout().vocab_size) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("token ", row.token, " of a vocabulary of ", representation.layout().vocab_size));
  }
  std::string out;
  for (const char c : kPageStart) {
    if (c == '@') {
      AppendMarkup(title, out);
    } else {
      out.push_back(c);
    }
  }
  const std::vector<std::string> texts = ShownTexts(representation, rows);
  AppendColumn("Index depth", rows, texts, DepthHeat, out);
  AppendColumn("Model probability", rows, texts, ProbabilityHeat, out);
  out += "</div>\n</body>\n</html>\n";
  return out;
}

}  // namespace clm
