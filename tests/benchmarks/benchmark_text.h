// What benchmarks run on: a file that the caller names, or text made up here.
//
//   CLM_BENCHMARK_TEXT   file to read; empty or unset: made up
//   CLM_BENCHMARK_BYTES  length of the text, default 16 MiB; a longer file is cut at it
//
// Made-up text is words of 1 to 12 letters whose frequencies follow Zipf's law (s = 1, 50,000 words), sentences and
// paragraphs, some numbers, and some words in Greek, Cyrillic and Chinese letters. The same on every machine; good for
// comparing two versions of this project, not for stating a speed on real text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace clm::benchmarking {

// The text; read or made up at the first call. Ends the process with a message when the file cannot be read.
const std::string& Text();

// `text` cut behind the first newline at or after every `document_bytes` bytes; views into `text`.
std::vector<absl::string_view> Documents(absl::string_view text, size_t document_bytes = size_t{64} << 10);

// Made-up text of exactly `size_bytes` bytes, valid UTF-8 but for its last character.
std::string MakeText(uint64_t seed, size_t size_bytes);
// Random letters a to z, without anything else.
std::string MakeLetters(uint64_t seed, size_t size_bytes);

// What CLM_BENCHMARK_BYTES says.
size_t TextBytes();

}  // namespace clm::benchmarking
