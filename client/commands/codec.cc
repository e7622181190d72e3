// compress and decompress.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/command.h"
#include "client/files.h"
#include "client/render.h"
#include "client/stream.h"
#include "clm/v1/service.grpc.pb.h"
#include "core/base/status_macros.h"
#include "core/base/units.h"

namespace clm::client {
namespace {

constexpr char kFrameSuffix[] = ".clm";

struct CompressFlags {
  std::string input;
  std::string output;
  std::string verify = "full";
  std::string codec = "best";
  v1::CompressRequest start;
};

struct DecompressFlags {
  std::string input;
  std::string output;
  v1::DecompressRequest start;
};

v1::VerifyMode VerifyOf(const std::string& name) {
  if (name == "sampled") return v1::VERIFY_MODE_SAMPLED;
  if (name == "none") return v1::VERIFY_MODE_NONE;
  return v1::VERIFY_MODE_FULL;
}

struct NamedCodec {
  const char* name;
  v1::Codec codec;
};
constexpr NamedCodec kCodecs[] = {{"best", v1::CODEC_UNSPECIFIED},
                                  {"mixed", v1::CODEC_MIXED},
                                  {"probability", v1::CODEC_PROBABILITY},
                                  {"rank-ans", v1::CODEC_RANK_ANS},
                                  {"rank-adaptive", v1::CODEC_RANK_ADAPTIVE},
                                  {"adaptive", v1::CODEC_ADAPTIVE},
                                  {"count", v1::CODEC_COUNT},
                                  {"stored", v1::CODEC_STORED}};

std::vector<std::string> CodecNames() {
  std::vector<std::string> names;
  for (const NamedCodec& codec : kCodecs) names.emplace_back(codec.name);
  return names;
}

v1::Codec CodecOf(const std::string& name) {
  const auto* const found =
      std::find_if(std::begin(kCodecs), std::end(kCodecs), [&](const NamedCodec& codec) { return codec.name == name; });
  return found == std::end(kCodecs) ? v1::CODEC_UNSPECIFIED : found->codec;
}

std::string CodecName(v1::Codec codec) {
  const auto* const found = std::find_if(std::begin(kCodecs), std::end(kCodecs),
                                         [&](const NamedCodec& named) { return named.codec == codec; });
  return found == std::end(kCodecs) || codec == v1::CODEC_UNSPECIFIED ? "unknown" : found->name;
}

std::string DefaultFrameName(const std::string& input) { return input == "-" ? "-" : input + kFrameSuffix; }

std::string DefaultPlainName(const std::string& input) {
  const size_t suffix = sizeof(kFrameSuffix) - 1;
  if (input == "-") return "-";
  if (input.size() > suffix && input.compare(input.size() - suffix, suffix, kFrameSuffix) == 0) {
    return input.substr(0, input.size() - suffix);
  }
  return input + ".out";
}

void PrintSummary(const Session& session, const v1::CompressResponse::Summary& summary) {
  const double original = static_cast<double>(summary.original_bytes());
  const auto share = [original](uint64_t size) {
    return original > 0 ? Number(8.0 * static_cast<double>(size) / original, 4) : std::string("-");
  };
  std::vector<std::vector<std::string>> rows = {{"", "bytes", "bits/byte", "seconds"}};
  rows.push_back({"original", absl::StrCat(summary.original_bytes()), "8.0000", ""});
  rows.push_back(
      {"clm frame", absl::StrCat(summary.frame_bytes()), share(summary.frame_bytes()), Number(summary.seconds(), 2)});
  if (summary.checkpoint_bytes() > 0) {
    const uint64_t with_checkpoint = summary.frame_bytes() + summary.checkpoint_bytes();
    rows.push_back({"frame + checkpoint", absl::StrCat(with_checkpoint), share(with_checkpoint), ""});
  }
  for (const v1::BaselineSize& baseline : summary.baselines()) {
    rows.push_back({baseline.name(), absl::StrCat(baseline.size_bytes()), share(baseline.size_bytes()),
                    Number(baseline.seconds(), 2)});
  }
  session.Note(absl::StrCat(Table(rows), "codec ", CodecName(summary.codec()), ", sha256 ", summary.sha256(), ", ",
                            summary.verified_blocks(), " of ", summary.blocks(), " blocks verified"));
}

absl::Status Compress(Session& session, const CompressFlags& flags) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(flags.input));
  const std::string target = flags.output.empty() ? DefaultFrameName(flags.input) : flags.output;
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Output> output, Output::Create(target));
  v1::CompressRequest start = flags.start;
  start.mutable_start()->set_verify(VerifyOf(flags.verify));
  start.mutable_start()->set_codec(CodecOf(flags.codec));
  std::error_code no_file;
  const uintmax_t bytes = std::filesystem::file_size(flags.input, no_file);
  if (!no_file) start.mutable_start()->set_original_bytes(bytes);
  const auto stub = v1::CompressionService::NewStub(session.channel());
  grpc::ClientContext context;
  const auto stream = stub->Compress(&context);
  v1::CompressResponse::Summary summary;
  CLM_RETURN_IF_ERROR((PumpStream<v1::CompressRequest, v1::CompressResponse>(
      context, *stream, start, [&] { return input->Read(kStreamChunkBytes); },
      [](std::string data) {
        v1::CompressRequest part;
        part.set_data(std::move(data));
        return part;
      },
      [&](const v1::CompressResponse& response) {
        if (response.has_summary()) summary = response.summary();
        return output->Write(response.frame());
      })));
  CLM_RETURN_IF_ERROR(output->Commit());
  if (session.json() && target != "-") {
    session.PrintJson(summary);
  } else {
    PrintSummary(session, summary);
  }
  return absl::OkStatus();
}

// What a damaged frame gave; what is missing is listed, so that nobody takes zeros for content.
void ReportSalvage(Session& session, const std::string& target, const v1::DecompressResponse::Summary& summary) {
  constexpr int kListed = 20;
  const v1::SalvageReport& report = summary.salvage();
  session.exit_code = summary.sha256_verified() ? kExitOk : kExitSalvaged;
  if (session.json() && target != "-") {
    session.PrintJson(summary);
    return;
  }
  session.Note(absl::StrCat(target, ": ", report.intact_blocks(), " blocks intact (", report.intact_bytes(),
                            " bytes), ", report.lost_blocks(), " lost (", report.lost_bytes(), " bytes), sha256 ",
                            summary.sha256()));
  for (int i = 0; i < std::min(kListed, report.missing_size()); ++i) {
    const v1::MissingRange& range = report.missing(i);
    const uint64_t end = range.offset_bytes() + range.length_bytes();
    const char* const state = end <= summary.original_bytes() && range.length_bytes() > 0 ? "zeros" : "left out";
    session.Note(
        range.length_bytes() == 0
            ? absl::StrCat("missing: from byte ", range.offset_bytes(), " to an end that is not known, left out")
            : absl::StrCat("missing: bytes ", range.offset_bytes(), " to ", end - 1, ", ", state));
  }
  if (report.missing_ranges() > kListed) {
    session.Note(
        absl::StrCat("missing: ", report.missing_ranges() - kListed, " more ranges; --output json lists them"));
  }
  if (report.missing_ranges() == 0 && !summary.sha256_verified()) {
    session.Note("every block is there, but the SHA-256 that proves the whole is damaged");
  }
}

absl::Status Decompress(Session& session, const DecompressFlags& flags) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(flags.input));
  const std::string target = flags.output.empty() ? DefaultPlainName(flags.input) : flags.output;
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Output> output, Output::Create(target));
  const auto stub = v1::CompressionService::NewStub(session.channel());
  grpc::ClientContext context;
  const auto stream = stub->Decompress(&context);
  v1::DecompressResponse::Summary summary;
  CLM_RETURN_IF_ERROR((PumpStream<v1::DecompressRequest, v1::DecompressResponse>(
      context, *stream, flags.start, [&] { return input->Read(kStreamChunkBytes); },
      [](std::string data) {
        v1::DecompressRequest part;
        part.set_frame(std::move(data));
        return part;
      },
      [&](const v1::DecompressResponse& response) {
        if (response.has_summary()) summary = response.summary();
        return output->Write(response.data());
      })));
  CLM_RETURN_IF_ERROR(output->Commit());
  if (summary.has_salvage()) {
    ReportSalvage(session, target, summary);
  } else if (session.json() && target != "-") {
    session.PrintJson(summary);
  } else {
    session.Note(absl::StrCat(target, ": ", summary.original_bytes(), " bytes, sha256 ", summary.sha256(),
                              summary.sha256_verified() ? " (verified)" : " (of the range)", ", ",
                              Number(summary.seconds(), 2), " s"));
  }
  return absl::OkStatus();
}

}  // namespace

void AddCompress(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<CompressFlags>();
  CLI::App* command = app.add_subcommand("compress", "Compress a file into a frame that decodes exactly anywhere");
  v1::CompressRequest::Start& start = *flags->start.mutable_start();
  command->add_option("input", flags->input, "File, or - for stdin")->required();
  command->add_option("-o,--out", flags->output, "Frame to write, or - for stdout (default: input + .clm)");
  command->add_option_function<std::string>(
      "--checkpoint", [&start](const std::string& value) { start.set_checkpoint(value); }, "Predict with this model");
  command->add_option_function<uint32_t>(
      "--block-size", [&start](uint32_t value) { start.set_block_size_bytes(value); }, "Bytes per block");
  command->add_option("--verify", flags->verify, "Blocks decoded again before the answer: full, sampled or none")
      ->check(CLI::IsMember({"full", "sampled", "none"}))
      ->capture_default_str();
  command
      ->add_option("--codec", flags->codec,
                   "Predictor: with a checkpoint mixed (smallest) or probability (fast), without one adaptive or count")
      ->check(CLI::IsMember(CodecNames()))
      ->capture_default_str();
  command->add_option_function<uint32_t>(
      "--top-k", [&start](uint32_t top_k) { start.set_top_k(top_k); }, "Of rank codecs: ranks told (default 128)");
  command->add_option_function<uint32_t>(
      "--window", [&start](uint32_t window) { start.set_window_symbols(window); },
      "Symbols that the model looks back on (default: its whole context)");
  command->add_option_function<double>(
      "--budget", [&start](double seconds) { start.set_budget_seconds(seconds); },
      "Seconds that it may take: with codec best the smallest that is likely to fit");
  command->add_flag_function(
      "--compare", [&start](int64_t) { start.set_compare(true); }, "Show gzip -9, xz -9e, zstd -19 on the same bytes");
  command->callback([&session, flags] { session.exit_code = session.Report(Compress(session, *flags)); });
}

void AddDecompress(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<DecompressFlags>();
  CLI::App* command = app.add_subcommand("decompress", "Restore a frame, byte for byte");
  v1::DecompressRequest::Start& start = *flags->start.mutable_start();
  command->add_option("input", flags->input, "Frame, or - for stdin")->required();
  command->add_option("-o,--out", flags->output, "File to write, or - for stdout (default: input without .clm)");
  command->add_option_function<uint64_t>(
      "--offset", [&start](uint64_t value) { start.set_offset_bytes(value); }, "First original byte wanted");
  command->add_option_function<uint64_t>(
      "--length", [&start](uint64_t value) { start.set_length_bytes(value); }, "How many; 0 for all");
  command->add_flag_function(
      "--salvage", [&start](int64_t) { start.set_salvage(true); },
      "Of a damaged frame: all intact blocks, zeros between them, and a list of what is missing (exit code 7)");
  command->callback([&session, flags] {
    const int failed = session.Report(Decompress(session, *flags));
    if (failed != kExitOk) session.exit_code = failed;
  });
}

}  // namespace clm::client
