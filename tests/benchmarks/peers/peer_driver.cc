// clm_peer_driver: one measurement of this project's tokenizer in a process of its own, for tests/benchmarks/peers/run.
//
//   clm_peer_driver encode --tokenizer FILE --separator HEX --pass NAME=FILE... [options]
//   clm_peer_driver train  --text FILE --vocab-size N --out FILE [options]
//
// Prints one JSON object: seconds and processor seconds of each timed pass, ids and their digest, memory. Everything is
// timed through the public C++ interface, and a pass ends when the ids of all documents lie in memory.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/file_io.h"
#include "core/base/status_macros.h"
#include "core/base/thread_pool.h"
#include "core/tokenizer/bpe_trainer.h"
#include "core/tokenizer/rank_file.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/benchmarks/document_codec.h"

namespace clm {
namespace {

using benchmarking::DocumentCodec;
using benchmarking::IdGroup;
using benchmarking::TextGroup;
using benchmarking::TotalBytes;
using benchmarking::TotalIds;
using Documents = std::vector<absl::string_view>;

constexpr uint64_t kMaxTextBytes = uint64_t{64} << 30;

struct EncodeFlags {
  std::string tokenizer;
  std::string encoding;             // of a rank file; empty for tokenizer.json
  std::string separator;            // hex digits
  std::vector<std::string> passes;  // "name=file", in order
  std::string ids;                  // file that takes those of the first pass, empty for none
  size_t threads = 1;
  bool decode = false;
  bool no_cache = false;
  bool time_reading = false;
};

struct TrainFlags {
  std::string text;
  std::string out;
  std::string pattern{kGpt2Pattern.data(), kGpt2Pattern.size()};
  std::string scratch;
  uint32_t vocab_size = 32000;
  uint64_t memory_mib = 0;
  size_t threads = 1;
};

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// VmHWM; getrusage would count the process that started this one, too.
double PeakMiB() {
  std::ifstream status("/proc/self/status");
  double kibibytes = 0;
  for (std::string line; std::getline(status, line);) {
    if (std::sscanf(line.c_str(), "VmHWM: %lf", &kibibytes) == 1) break;
  }
  return kibibytes / 1024.0;
}

// Wall and processor seconds of timed passes, by name.
class Passes {
 public:
  // `pass` returns how many bytes of text it took.
  absl::Status Time(const std::string& name, const std::function<absl::StatusOr<size_t>()>& pass) {
    const absl::Duration start = SystemClock().Monotonic();
    const double processor = ProcessorSeconds();
    CLM_ASSIGN_OR_RETURN(const size_t bytes, pass());
    json_[name] = {{"cpu", ProcessorSeconds() - processor},
                   {"wall", absl::ToDoubleSeconds(SystemClock().Monotonic() - start)},
                   {"bytes", bytes}};
    return absl::OkStatus();
  }
  const nlohmann::json& json() const { return json_; }

 private:
  nlohmann::json json_ = nlohmann::json::object();
};

Documents SplitAt(absl::string_view text, absl::string_view separator) {
  Documents documents;
  while (true) {
    const size_t end = text.find(separator);
    documents.push_back(text.substr(0, end));
    if (end == absl::string_view::npos) return documents;
    text.remove_prefix(end + separator.size());
  }
}

// Lengths and ids as little-endian u32, the form that `run` compares: count of documents, lengths, ids.
std::string IdBytes(const std::vector<IdGroup>& groups) {
  std::vector<uint32_t> words(1);
  for (const IdGroup& group : groups) {
    words[0] += static_cast<uint32_t>(group.lengths.size());
    for (const size_t length : group.lengths) words.push_back(static_cast<uint32_t>(length));
  }
  for (const IdGroup& group : groups) words.insert(words.end(), group.items.begin(), group.items.end());
  std::string bytes(words.size() * sizeof(uint32_t), '\0');
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

absl::Status CheckTexts(const Documents& documents, const std::vector<TextGroup>& groups) {
  size_t document = 0;
  for (const TextGroup& group : groups) {
    absl::string_view text(group.items.data(), group.items.size());
    for (const size_t length : group.lengths) {
      if (document == documents.size() || documents[document] != text.substr(0, length)) {
        return absl::InternalError(absl::StrCat("document ", document, " comes back changed"));
      }
      text.remove_prefix(length);
      ++document;
    }
  }
  return document == documents.size() ? absl::OkStatus() : absl::InternalError("documents are missing");
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  return ReadFile(PosixFileSystem(), path, kMaxTextBytes);
}

// One file of documents, encoded by one timed pass.
struct Input {
  std::string name;  // of the pass
  std::string path;
  std::string text;  // read before the clock starts, unless reading is timed
};

absl::StatusOr<std::vector<Input>> OpenInputs(const EncodeFlags& flags) {
  std::vector<Input> inputs;
  for (const std::string& pass : flags.passes) {
    const size_t equals = pass.find('=');
    if (equals == std::string::npos) return absl::InvalidArgumentError(absl::StrCat(pass, " is not NAME=FILE"));
    inputs.push_back({.name = pass.substr(0, equals), .path = pass.substr(equals + 1), .text = {}});
    if (!flags.time_reading) {
      CLM_ASSIGN_OR_RETURN(inputs.back().text, ReadText(inputs.back().path));
    }
  }
  return inputs;
}

// What the first pass gave: how many ids, their digest, and whether the text comes back.
absl::Status Report(const DocumentCodec& codec, const EncodeFlags& flags, const Documents& documents,
                    const std::vector<IdGroup>& groups, Passes& passes, nlohmann::json& result) {
  if (flags.decode) {
    std::vector<TextGroup> texts;
    CLM_RETURN_IF_ERROR(passes.Time("decode", [&]() -> absl::StatusOr<size_t> {
      CLM_ASSIGN_OR_RETURN(texts, codec.Decode(groups));
      return TotalBytes(documents);
    }));
    CLM_RETURN_IF_ERROR(CheckTexts(documents, texts));
  }
  const std::string ids = IdBytes(groups);
  result["ids"] = TotalIds(groups);
  result["digest"] = Sha256Hex(ids);
  return flags.ids.empty() ? absl::OkStatus() : WriteFileAtomically(PosixFileSystem(), flags.ids, ids);
}

absl::Status RunPass(DocumentCodec& codec, const EncodeFlags& flags, Input& input, Passes& passes,
                     nlohmann::json& result) {
  const std::string separator = absl::HexStringToBytes(flags.separator);
  Documents documents = SplitAt(input.text, separator);
  std::vector<IdGroup> groups;
  CLM_RETURN_IF_ERROR(passes.Time(input.name, [&]() -> absl::StatusOr<size_t> {
    if (flags.time_reading) {
      CLM_ASSIGN_OR_RETURN(input.text, ReadText(input.path));
      documents = SplitAt(input.text, separator);
    }
    CLM_ASSIGN_OR_RETURN(groups, codec.Encode(documents));
    return TotalBytes(documents);
  }));
  if (result.contains("peak_mib")) return absl::OkStatus();
  result["peak_mib"] = PeakMiB();
  return Report(codec, flags, documents, groups, passes, result);
}

absl::StatusOr<std::shared_ptr<const Tokenizer>> LoadTokenizer(const EncodeFlags& flags) {
  if (flags.encoding.empty()) return Tokenizer::FromFile(PosixFileSystem(), flags.tokenizer);
  CLM_ASSIGN_OR_RETURN(const std::string ranks, ReadFile(PosixFileSystem(), flags.tokenizer, kMaxRankFileBytes));
  RankFileOptions options;
  options.encoding = flags.encoding;
  CLM_ASSIGN_OR_RETURN(TokenizerDefinition definition, ParseRankFile(ranks, options));
  return Tokenizer::Create(std::move(definition.vocab), definition.pattern);
}

absl::StatusOr<nlohmann::json> RunEncode(const EncodeFlags& flags) {
  CLM_ASSIGN_OR_RETURN(std::vector<Input> inputs, OpenInputs(flags));
  nlohmann::json result;
  result["base_mib"] = PeakMiB();
  Passes passes;
  std::shared_ptr<const Tokenizer> tokenizer;
  CLM_RETURN_IF_ERROR(passes.Time("load", [&]() -> absl::StatusOr<size_t> {
    CLM_ASSIGN_OR_RETURN(tokenizer, LoadTokenizer(flags));
    tokenizer->encode_tables();
    return size_t{0};
  }));
  DocumentCodec codec(tokenizer, {.threads = flags.threads, .cache = !flags.no_cache});
  for (Input& input : inputs) CLM_RETURN_IF_ERROR(RunPass(codec, flags, input, passes, result));
  result["passes"] = passes.json();
  return result;
}

// The text in parts of about a mebibyte that threads share. Cut behind a newline between two characters that are no
// space, where no pattern joins what is left and right, so that the parts have the pieces of the whole.
Documents CutForThreads(absl::string_view text) {
  constexpr size_t kPartBytes = size_t{1} << 20;
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r') || static_cast<uint8_t>(c) >= 0x80; };
  Documents parts;
  size_t begin = 0;
  for (size_t at = kPartBytes; at + 1 < text.size(); ++at) {
    at = text.find('\n', at);
    if (at == absl::string_view::npos || at + 1 >= text.size()) break;
    if (is_space(text[at - 1]) || is_space(text[at + 1])) continue;
    parts.push_back(text.substr(begin, at + 1 - begin));
    begin = at + 1;
    at += kPartBytes;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

absl::StatusOr<BpeVocab> Train(absl::string_view text, const BpeTrainerOptions& options, size_t threads) {
  ThreadPool pool(threads);
  CLM_ASSIGN_OR_RETURN(BpeTrainer trainer, BpeTrainer::Create(options));
  CLM_RETURN_IF_ERROR(trainer.AddDocuments(CutForThreads(text), pool));
  BpeTrainRun run;
  run.threads = &pool;
  return trainer.Train(run);
}

absl::StatusOr<nlohmann::json> RunTrain(const TrainFlags& flags) {
  nlohmann::json result;
  result["base_mib"] = PeakMiB();
  BpeTrainerOptions options;
  options.pattern = flags.pattern;
  options.vocab_size = flags.vocab_size + static_cast<uint32_t>(options.special_tokens.size());
  options.memory_limit_bytes = flags.memory_mib << 20;
  options.scratch_folder = flags.scratch;
  Passes passes;
  absl::StatusOr<BpeVocab> vocab = absl::UnknownError("not trained");
  CLM_RETURN_IF_ERROR(passes.Time("train", [&]() -> absl::StatusOr<size_t> {
    CLM_ASSIGN_OR_RETURN(const auto text, PosixFileSystem().Map(flags.text));
    vocab = Train(text->data(), options, flags.threads);
    if (!vocab.ok()) return vocab.status();
    return text->data().size();
  }));
  result["peak_mib"] = PeakMiB();
  result["passes"] = passes.json();
  CLM_ASSIGN_OR_RETURN(const std::string json, WriteTokenizerJson(*vocab, flags.pattern));
  CLM_RETURN_IF_ERROR(WriteFileAtomically(PosixFileSystem(), flags.out, json));
  return result;
}

int Print(const absl::StatusOr<nlohmann::json>& result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    return 1;
  }
  std::printf("%s\n", result->dump().c_str());
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app("One measurement of CLM's tokenizer, printed as JSON.");
  app.require_subcommand(1);
  EncodeFlags encode;
  CLI::App* encoding = app.add_subcommand("encode", "Encode documents, and decode them again");
  encoding->add_option("--tokenizer", encode.tokenizer, "tokenizer.json, or a rank file with --encoding")->required();
  encoding->add_option("--encoding", encode.encoding, "Published name of the vocabulary in a rank file");
  encoding->add_option("--separator", encode.separator, "What stands between documents, in hex digits")->required();
  encoding->add_option("--pass", encode.passes, "NAME=FILE: encode the documents of FILE, timed as NAME")->required();
  encoding->add_option("--threads", encode.threads)->check(CLI::Range(1, 1024));
  encoding->add_option("--ids", encode.ids, "File that takes lengths and ids of the first pass");
  encoding->add_flag("--decode", encode.decode, "Decode what the first pass gave, on one thread");
  encoding->add_flag("--no-cache", encode.no_cache, "Remember no pieces");
  encoding->add_flag("--time-reading", encode.time_reading, "Reading the file counts, too");
  TrainFlags train;
  CLI::App* training = app.add_subcommand("train", "Learn a vocabulary");
  training->add_option("--text", train.text, "File to learn from")->required();
  training->add_option("--out", train.out, "tokenizer.json to write")->required();
  training->add_option("--vocab-size", train.vocab_size, "Bytes and merges, without the special token");
  training->add_option("--pattern", train.pattern, "Split pattern");
  training->add_option("--memory-mib", train.memory_mib, "Limit of the trainer's memory; 0 for none");
  training->add_option("--scratch", train.scratch, "Folder for what does not fit in it");
  training->add_option("--threads", train.threads)->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  return Print(encoding->parsed() ? RunEncode(encode) : RunTrain(train));
}

}  // namespace
}  // namespace clm

int main(int argc, char** argv) { return clm::Main(argc, argv); }
