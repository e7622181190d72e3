#include "tests/benchmarks/benchmark_text.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_io.h"
#include "core/base/rng.h"

namespace clm::benchmarking {
namespace {

constexpr size_t kDefaultTextBytes = size_t{16} << 20;
constexpr uint64_t kMaxFileBytes = uint64_t{16} << 30;
constexpr size_t kWords = 50000;
constexpr uint64_t kSeed = 20260301;

[[noreturn]] void Die(absl::string_view message) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
  std::exit(1);
}

const char* Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Appends a character of `alphabet`: a word of the 16 first letters of a script.
void AppendLetter(CounterRng& rng, uint32_t first_code_point, uint32_t letters, std::string& out) {
  const uint32_t code = first_code_point + static_cast<uint32_t>(rng.NextBelow(letters));
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xE0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// The word at `rank`: frequent words are short; one in 40 is not Latin.
std::string MakeWord(uint64_t seed, size_t rank) {
  CounterRng rng(seed, "benchmark word", rank);
  const size_t longest = rank < 30 ? 3 : rank < 1000 ? 7 : 12;
  const size_t length = 1 + rng.NextBelow(longest / 2) + rng.NextBelow(longest - longest / 2 + 1);
  std::string word;
  const uint64_t script = rank < 100 ? 0 : rng.NextBelow(120);
  for (size_t i = 0; i < length; ++i) {
    switch (script) {
      case 1:
        AppendLetter(rng, 0x3B1, 17, word);
        break;
      case 2:
        AppendLetter(rng, 0x430, 32, word);
        break;
      case 3:
        AppendLetter(rng, 0x4E00, 2000, word);
        break;
      default:
        // The lower of two draws: letters are not equally frequent either.
        word.push_back("etaoinshrdlcumwfgypbvkjxqz"[std::min(rng.NextBelow(26), rng.NextBelow(26))]);
    }
  }
  return word;
}

// A rank with probability about 1 / (rank + 1): exp of a uniform draw.
size_t ZipfRank(CounterRng& rng) {
  size_t rank = 1;
  const uint64_t draw = rng.NextU64();
  // 2^bits with bits uniform in [0, 16), then uniform within the power of two.
  const size_t bits = static_cast<size_t>(draw % 16);
  rank <<= bits;
  rank += (draw >> 32) & (rank - 1);
  return (rank - 1) % kWords;
}

}  // namespace

std::string MakeText(uint64_t seed, size_t size_bytes) {
  std::vector<std::string> words;
  words.reserve(kWords);
  for (size_t rank = 0; rank < kWords; ++rank) words.push_back(MakeWord(seed, rank));
  std::string text;
  text.reserve(size_bytes + 64);
  CounterRng rng(seed, "benchmark text", 0);
  while (text.size() < size_bytes) {
    const uint64_t kind = rng.NextBelow(64);
    if (kind == 0) {
      absl::StrAppend(&text, rng.NextBelow(100000));
    } else {
      text += words[ZipfRank(rng)];
    }
    if (kind < 4) {
      text += ".\n";
    } else if (kind < 8) {
      text += ", ";
    } else {
      text += ' ';
    }
  }
  text.resize(size_bytes);
  return text;
}

std::string MakeLetters(uint64_t seed, size_t size_bytes) {
  std::string text(size_bytes, 'a');
  CounterRng rng(seed, "benchmark letters", 0);
  for (char& letter : text) letter = static_cast<char>('a' + rng.NextBelow(26));
  return text;
}

size_t TextBytes() {
  const absl::string_view given = Variable("CLM_BENCHMARK_BYTES");
  uint64_t bytes = 0;
  if (given.empty()) return kDefaultTextBytes;
  if (!absl::SimpleAtoi(given, &bytes) || bytes == 0) Die(absl::StrCat("CLM_BENCHMARK_BYTES is not a length: ", given));
  return static_cast<size_t>(bytes);
}

const std::string& Text() {
  static const auto* const kText = [] {
    const std::string path = Variable("CLM_BENCHMARK_TEXT");
    if (path.empty()) return new std::string(MakeText(kSeed, TextBytes()));
    absl::StatusOr<std::string> text = ReadFile(PosixFileSystem(), path, kMaxFileBytes);
    if (!text.ok()) Die(text.status().ToString());
    if (*Variable("CLM_BENCHMARK_BYTES") != '\0') text->resize(std::min(text->size(), TextBytes()));
    if (text->empty()) Die(absl::StrCat(path, " is empty"));
    return new std::string(*std::move(text));
  }();
  return *kText;
}

std::vector<absl::string_view> Documents(absl::string_view text, size_t document_bytes) {
  std::vector<absl::string_view> documents;
  while (!text.empty()) {
    size_t end = text.size();
    if (document_bytes < text.size()) {
      const size_t newline = text.find('\n', document_bytes == 0 ? 0 : document_bytes - 1);
      if (newline != absl::string_view::npos) end = newline + 1;
    }
    documents.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return documents;
}

}  // namespace clm::benchmarking
