// trace, stage and correct: a text as a predictor sees it, the stages of the rank pipeline, text from corrections.
//
// All three read a file or stdin and write a file or stdout, so that they can be piped:
//
//   clm stage tokensOfStr a.txt | clm stage modelToInx | clm stage rangeEncode | clm stage binOfRange -o a.bin
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/command.h"
#include "client/files.h"
#include "client/stream.h"
#include "clm/v1/service.grpc.pb.h"
#include "core/base/byte_writer.h"
#include "core/base/status_macros.h"

namespace clm::client {
namespace {

constexpr size_t kMaxPromptBytes = 1 << 20;
constexpr size_t kMaxRankTextBytes = 4 << 20;

struct Flags {
  std::string input = "-";
  std::string output = "-";
  std::string format = "rows";
  std::string kind = "zeros";
  std::string prompt;
  std::string prompt_file;
  bool make_payload = false;
  v1::TraceRequest start;
};

// Where the data of a call come from: empty at the end.
using DataSource = std::function<absl::StatusOr<std::string>()>;

std::string RowsText(const v1::TraceResponse& response, uint64_t& index) {
  std::string text;
  for (const v1::TraceRow& row : response.rows()) {
    absl::StrAppendFormat(&text, "%d\t%d\t%d\t%.9f\t%.6f\t%.6f\n", index++, row.token(), row.rank(), row.probability(),
                          row.bits(), row.entropy());
  }
  return text;
}

// Sends `start` and the data; rows and bytes go to `output`.
absl::StatusOr<v1::TraceResponse::Summary> RunCall(Session& session, const v1::TraceRequest& start,
                                                   const DataSource& data, Output& output) {
  const auto stub = v1::CompressionService::NewStub(session.channel());
  grpc::ClientContext context;
  const auto stream = stub->Trace(&context);
  v1::TraceResponse::Summary summary;
  uint64_t index = 0;
  const auto write = [&](const v1::TraceResponse& response) -> absl::Status {
    if (response.has_summary()) summary = response.summary();
    const bool is_first = index == 0 && response.rows_size() > 0;
    const absl::string_view head = is_first ? "#\ttoken\trank\tprobability\tbits\tentropy\n" : "";
    return output.Write(absl::StrCat(head, RowsText(response, index), response.data()));
  };
  const absl::Status status = PumpStream<v1::TraceRequest, v1::TraceResponse>(
      context, *stream, start, data,
      [](std::string piece) {
        v1::TraceRequest part;
        part.set_data(std::move(piece));
        return part;
      },
      write);
  CLM_RETURN_IF_ERROR(status);
  for (const std::string& warning : summary.warnings()) session.Note(absl::StrCat("warning: ", warning));
  return summary;
}

// The same with a file in and a file out.
absl::StatusOr<v1::TraceResponse::Summary> RunFiles(Session& session, const Flags& flags) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(flags.input));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Output> output, Output::Create(flags.output));
  CLM_ASSIGN_OR_RETURN(v1::TraceResponse::Summary summary,
                       RunCall(
                           session, flags.start, [&input] { return input->Read(kStreamChunkBytes); }, *output));
  CLM_RETURN_IF_ERROR(output->Commit());
  return summary;
}

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string StatisticsText(const v1::TraceResponse::Statistics& s) {
  const auto line = [](absl::string_view name, const std::string& value) {
    return absl::StrFormat("%-17s %s\n", name, value);
  };
  const auto count = [&](uint64_t part) { return absl::StrFormat("%d (%.1f %%)", part, Share(part, s.symbols())); };
  const auto per = [&](uint64_t whole) {
    return absl::StrFormat("%.4f", whole == 0 ? 0 : s.bits() / static_cast<double>(whole));
  };
  const auto kilobytes = [](uint64_t bytes) { return absl::StrFormat("%.1f kB", static_cast<double>(bytes) / 1000); };
  return absl::StrCat(line("original", absl::StrCat(s.original_bytes(), " bytes")),
                      line("symbols", absl::StrCat(s.symbols())), line("hits", count(s.hits())),
                      line("perfect hits", count(s.perfect())), line("misses", count(s.misses())),
                      line("bits per symbol", per(s.symbols())), line("bits per byte", per(s.original_bytes())),
                      line("probabilities", kilobytes(s.probability_bytes())),
                      line("ranks, adaptive", kilobytes(s.rank_adaptive_bytes())),
                      line("ranks, static", kilobytes(s.rank_static_bytes())),
                      line("ranks, .bin", absl::StrCat(kilobytes(s.rank_bin_bytes()), " (symbols ",
                                                       kilobytes(s.rank_bin_symbol_bytes()), ", counts ",
                                                       kilobytes(s.rank_bin_count_bytes()), ", payload ",
                                                       kilobytes(s.rank_bin_payload_bytes()), ")")));
}

absl::Status RunTrace(Session& session, Flags& flags) {
  static const auto* const kFormats = new std::map<std::string, v1::TraceFormat>{
      {"rows", v1::TRACE_FORMAT_ROWS},         {"json", v1::TRACE_FORMAT_JSON},
      {"svg", v1::TRACE_FORMAT_HISTOGRAM_SVG}, {"html", v1::TRACE_FORMAT_HEAT_MAP_HTML},
      {"stats", v1::TRACE_FORMAT_STATISTICS},
  };
  flags.start.mutable_start()->mutable_report()->set_format(kFormats->at(flags.format));
  CLM_ASSIGN_OR_RETURN(const v1::TraceResponse::Summary summary, RunFiles(session, flags));
  if (flags.format != "stats") {
    session.Note(StatisticsText(summary.statistics()));
  } else if (session.json()) {
    session.PrintJson(summary);
  } else {
    std::printf("%s", StatisticsText(summary.statistics()).c_str());
  }
  return absl::OkStatus();
}

// Ranks as people write them: 0 is the first choice; =65 is symbol 65.
absl::StatusOr<std::string> PackRanks(absl::string_view text) {
  ByteWriter out;
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" \t\r\n,"), absl::SkipEmpty())) {
    const bool literal = absl::ConsumePrefix(&word, "=");
    int32_t value = 0;
    if (!absl::SimpleAtoi(word, &value) || value < 0) {
      return absl::InvalidArgumentError(absl::StrCat("not a rank: ", word));
    }
    out.WriteU32(static_cast<uint32_t>(literal ? value : -1 - value));
  }
  return out.Take();
}

std::string EndName(v1::CorrectionEnd end) {
  switch (end) {
    case v1::CORRECTION_END_MAX_SYMBOLS:
      return "symbol limit";
    case v1::CORRECTION_END_CORRECTIONS:
      return "end of the corrections";
    case v1::CORRECTION_END_BOUNDARY:
      return "end of document";
    default:
      return "unknown";
  }
}

// The corrections, packed as the call wants them.
absl::StatusOr<DataSource> CorrectionData(const Flags& flags, const std::shared_ptr<Input>& input) {
  if (flags.kind == "zeros") return DataSource([] { return std::string(); });
  if (flags.kind != "ranks") return DataSource([input] { return input->Read(kStreamChunkBytes); });
  CLM_ASSIGN_OR_RETURN(const std::string text, input->ReadAll(kMaxRankTextBytes));
  CLM_ASSIGN_OR_RETURN(std::string packed, PackRanks(text));
  return DataSource([packed = std::move(packed), at = size_t{0}]() mutable {
    std::string piece = packed.substr(at, kStreamChunkBytes);
    at += piece.size();
    return piece;
  });
}

absl::StatusOr<std::string> Prompt(const Flags& flags) {
  if (flags.prompt_file.empty()) return flags.prompt;
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(flags.prompt_file));
  return input->ReadAll(kMaxPromptBytes);
}

absl::Status Correct(Session& session, Flags& flags) {
  static const auto* const kKinds = new std::map<std::string, v1::CorrectionKind>{
      {"zeros", v1::CORRECTION_KIND_ZEROS},
      {"ranks", v1::CORRECTION_KIND_RANKS},
      {"nibbles", v1::CORRECTION_KIND_NIBBLES},
      {"payload", v1::CORRECTION_KIND_PAYLOAD},
  };
  CLM_ASSIGN_OR_RETURN(const std::string prompt, Prompt(flags));
  if (flags.make_payload) {
    flags.start.mutable_start()->mutable_payload()->set_prompt(prompt);
    return RunFiles(session, flags).status();
  }
  v1::TraceCorrect& correct = *flags.start.mutable_start()->mutable_correct();
  correct.set_prompt(prompt);
  correct.set_kind(kKinds->at(flags.kind));
  std::shared_ptr<Input> input;
  if (flags.kind != "zeros") {
    CLM_ASSIGN_OR_RETURN(input, Input::Open(flags.input));
  }
  CLM_ASSIGN_OR_RETURN(const DataSource data, CorrectionData(flags, input));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Output> output, Output::Create(flags.output));
  CLM_ASSIGN_OR_RETURN(const v1::TraceResponse::Summary summary, RunCall(session, flags.start, data, *output));
  CLM_RETURN_IF_ERROR(output->Commit());
  const v1::TraceResponse::Corrected& corrected = summary.corrected();
  session.Note(absl::StrCat(corrected.symbols(), " symbols, ", corrected.used_corrections(), " corrections used, ",
                            corrected.unused_corrections(), " unused; stopped by ", EndName(corrected.end())));
  return absl::OkStatus();
}

void AddFiles(CLI::App& command, Flags& flags) {
  command.add_option("input", flags.input, "File, or - for stdin")->capture_default_str();
  command.add_option("-o,--out", flags.output, "File, or - for stdout")->capture_default_str();
}

// What all three tell about the model.
void AddModelFlags(CLI::App& command, v1::TraceRequest::Start& start) {
  command.add_option_function<std::string>(
      "-n,--checkpoint", [&start](const std::string& value) { start.set_checkpoint(value); },
      "Checkpoint artifact (default: the built-in predictor over bytes)");
  command.add_option_function<uint64_t>(
      "-w,--window", [&start](uint64_t value) { start.set_window_symbols(value); },
      "Symbols that the predictor sees (default: what it can by itself)");
}

void AddRankFlags(CLI::App& command, v1::TraceRequest::Start& start) {
  command.add_option_function<uint32_t>(
      "-t,--top-n", [&start](uint32_t value) { start.set_top_n(value); },
      "Ranks from here on are misses; 0 for none (default 128)");
  command.add_option_function<uint64_t>(
      "-s,--stop-after", [&start](uint64_t value) { start.set_stop_after_symbols(value); },
      "Look at the first so many symbols only");
}

}  // namespace

void AddTrace(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("trace", "What a predictor thinks of each symbol of a text");
  v1::TraceRequest::Start& start = *flags->start.mutable_start();
  AddFiles(*command, *flags);
  AddModelFlags(*command, start);
  AddRankFlags(*command, start);
  command->add_option("--format", flags->format, "rows, json, svg (histogram), html (heat map) or stats")
      ->check(CLI::IsMember({"rows", "json", "svg", "html", "stats"}))
      ->capture_default_str();
  command->add_option_function<std::string>(
      "--title", [&start](const std::string& value) { start.mutable_report()->set_title(value); },
      "Written above figures");
  command->callback([&session, flags] { session.exit_code = session.Report(RunTrace(session, *flags)); });
}

void AddStage(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("stage", "One stage of the rank pipeline, from stdin to stdout");
  v1::TraceRequest::Start& start = *flags->start.mutable_start();
  command
      ->add_option_function<std::string>(
          "name", [&start](const std::string& value) { start.mutable_stage()->set_name(value); },
          "tokensOfStr, modelToInx, rangeEncode, binOfRange, binToRange, rangeDecode, modelOfInx, tokensToStr, "
          "tokensOfData or flipLetters")
      ->required();
  AddFiles(*command, *flags);
  AddModelFlags(*command, start);
  AddRankFlags(*command, start);
  command->add_option_function<uint32_t>(
      "-p,--precision", [&start](uint32_t value) { start.mutable_stage()->set_precision_bits(value); },
      "Bits of rangeEncode (default 32)");
  command->add_option_function<std::string>(
      "-c,--comment", [&start](const std::string& value) { start.mutable_stage()->set_comment(value); },
      "Added to the JSON; the prompt of tokensOfData");
  command->callback([&session, flags] { session.exit_code = session.Report(RunFiles(session, *flags).status()); });
}

void AddCorrect(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("correct", "A text from corrections of what a predictor expects");
  v1::TraceRequest::Start& start = *flags->start.mutable_start();
  AddFiles(*command, *flags);
  AddModelFlags(*command, start);
  command
      ->add_option(
          "--kind", flags->kind,
          "What the input holds: zeros (nothing: greedy), ranks (numbers; =65 is symbol 65), nibbles (bytes) or "
          "payload (bytes for the entropy decoder)")
      ->check(CLI::IsMember({"zeros", "ranks", "nibbles", "payload"}))
      ->capture_default_str();
  command->add_option("--prompt", flags->prompt, "Text before");
  command->add_option("--prompt-file", flags->prompt_file, "File with the text before, or - for stdin");
  command->add_option_function<uint64_t>(
      "--max-symbols", [&start](uint64_t value) { start.mutable_correct()->set_max_symbols(value); }, "Default 256");
  command->add_flag_callback(
      "--greedy-tail", [&start] { start.mutable_correct()->set_greedy_tail(true); },
      "Go on with first choices when the corrections run out");
  command->add_flag_callback(
      "--ignore-boundary", [&start] { start.mutable_correct()->set_ignore_boundary(true); },
      "Go on beyond the end of the document");
  command->add_flag("--make-payload", flags->make_payload, "The other way: the payload that the input is coded to");
  command->callback([&session, flags] { session.exit_code = session.Report(Correct(session, *flags)); });
}

}  // namespace clm::client
