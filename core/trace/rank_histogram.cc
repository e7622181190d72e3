#include "core/trace/rank_histogram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/trace/markup.h"

namespace clm {
namespace {

constexpr double kWidth = 960;
constexpr double kHeight = 288;
constexpr double kLeft = 64;
constexpr double kRight = 944;
constexpr double kTop = 34;
constexpr double kBottom = 236;
constexpr int kFirst = -2;  // of the x axis
constexpr int kLast = 40;
constexpr double kBarWidth = 0.5;  // of one rank

double X(double rank) { return kLeft + (kRight - kLeft) * (rank - kFirst) / (kLast - kFirst); }
double Y(double percent, double top) { return kBottom - (kBottom - kTop) * percent / top; }

// A round step that cuts [0, highest] into four to nine parts.
double StepOf(double highest) {
  const double decade = std::pow(10.0, std::floor(std::log10(highest / 4)));
  const double ratio = highest / 4 / decade;
  return decade * (ratio >= 5 ? 5 : ratio >= 2 ? 2 : 1);
}

void AppendText(double x, double y, absl::string_view attributes, absl::string_view text, std::string& out) {
  absl::StrAppendFormat(&out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
  AppendMarkup(text, out);
  out += "</text>\n";
}

void AppendYAxis(double top, double step, std::string& out) {
  const int lines = static_cast<int>(std::lround(top / step));
  for (int i = 0; i <= lines; ++i) {
    const double y = Y(i * step, top);
    absl::StrAppendFormat(&out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", kLeft, y,
                          kRight, y, i == 0 ? "#333" : "#ddd");
    AppendText(kLeft - 8, y + 4, "text-anchor=\"end\"", absl::StrFormat("%g", i * step), out);
  }
}

void AppendXAxis(std::string& out) {
  for (int rank = 0; rank <= kLast; rank += 5) {
    absl::StrAppendFormat(&out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#333\"/>\n", X(rank),
                          kBottom, X(rank), kBottom + 5);
    AppendText(X(rank), kBottom + 20, "text-anchor=\"middle\"", absl::StrCat(rank), out);
  }
  AppendText(X(-1), kBottom + 20, "text-anchor=\"middle\"", "miss", out);
}

void AppendBars(std::span<const double> percent, double top, std::string& out) {
  const size_t bars = std::min(percent.size(), static_cast<size_t>(kLast + 2));
  for (size_t bar = 0; bar < bars; ++bar) {
    if (percent[bar] <= 0) continue;
    const double rank = static_cast<double>(bar) - 1;
    const double y = Y(percent[bar], top);
    absl::StrAppendFormat(&out,
                          "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\">"
                          "<title>%s: %.3f %%</title></rect>\n",
                          X(rank - kBarWidth / 2), y, X(kBarWidth) - X(0), kBottom - y,
                          bar == 0 ? "#b5463c" : "#6b6f78", bar == 0 ? "misses" : absl::StrCat("rank ", bar - 1),
                          percent[bar]);
  }
}

}  // namespace

std::string RankHistogramSvg(std::span<const double> percent, absl::string_view title) {
  const auto shown = percent.first(std::min(percent.size(), static_cast<size_t>(kLast + 2)));
  const double highest = shown.empty() ? 0 : *std::max_element(shown.begin(), shown.end());
  const double step = StepOf(highest > 0 ? highest : 100);
  const double top = step * std::max(1.0, std::ceil((highest > 0 ? highest : 100) / step));
  std::string out = absl::StrFormat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
      "font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n"
      "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#fff\"/>\n",
      kWidth, kHeight, kWidth, kHeight, kWidth, kHeight);
  AppendText(kLeft, 20, "font-size=\"14\" font-weight=\"bold\"", title, out);
  const double beyond =
      std::accumulate(percent.begin() + static_cast<std::ptrdiff_t>(shown.size()), percent.end(), 0.0);
  AppendText(
      kRight, 20, "text-anchor=\"end\" fill=\"#666\"",
      absl::StrFormat("misses %.1f %%, ranks above %d: %.1f %%", percent.empty() ? 0 : percent[0], kLast, beyond), out);
  AppendYAxis(top, step, out);
  AppendBars(percent, top, out);
  AppendXAxis(out);
  AppendText((kLeft + kRight) / 2, kHeight - 10, "text-anchor=\"middle\"", "rank (0 = first choice)", out);
  const double middle = (kTop + kBottom) / 2;
  AppendText(18, middle, absl::StrFormat("text-anchor=\"middle\" transform=\"rotate(-90 18 %.1f)\"", middle),
             "% of symbols", out);
  out += "</svg>\n";
  return out;
}

}  // namespace clm
