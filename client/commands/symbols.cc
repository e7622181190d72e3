// encode and decode.
//
// Symbols are decimal numbers separated by white space, or packed little-endian with --packed.
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/command.h"
#include "client/files.h"
#include "client/stream.h"
#include "clm/v1/service.grpc.pb.h"
#include "core/base/byte_writer.h"
#include "core/base/status_macros.h"
#include "core/base/units.h"

namespace clm::client {
namespace {

// One run of digits: the largest 32-bit number has ten.
constexpr size_t kMaxDigits = 10;

// Two paths on the server: then nothing but figures travels.
struct FileFlags {
  v1::FilePaths paths;
  bool given() const { return !paths.input_path().empty(); }
};

struct EncodeFlags {
  std::string input = "-";
  std::string output = "-";
  bool packed = false;
  FileFlags files;
  v1::EncodeRequest start;
};

struct DecodeFlags {
  std::string input = "-";
  std::string output = "-";
  uint32_t packed_width = 0;
  FileFlags files;
  v1::DecodeRequest start;
};

uint32_t SymbolAt(const std::string& packed, size_t position, uint32_t width) {
  uint32_t value = 0;
  for (uint32_t i = 0; i < width; ++i) {
    value |= static_cast<uint32_t>(static_cast<uint8_t>(packed[position + i])) << (8 * i);
  }
  return value;
}

std::string ToText(const std::string& packed, uint32_t width) {
  std::string text;
  for (size_t at = 0; at + width <= packed.size(); at += width)
    absl::StrAppend(&text, SymbolAt(packed, at, width), " ");
  return text;
}

// Reads decimal text in pieces as little-endian u32. A number may be cut between two pieces.
class TextSymbols {
 public:
  explicit TextSymbols(Input& input) : input_(input) {}

  // The next symbols, packed; empty at the end.
  absl::StatusOr<std::string> Read() {
    ByteWriter out;
    while (out.view().empty()) {
      CLM_ASSIGN_OR_RETURN(const std::string text, input_.Read(kStreamChunkBytes));
      if (text.empty()) {
        CLM_RETURN_IF_ERROR(Flush(out));
        break;
      }
      CLM_RETURN_IF_ERROR(Pack(text, out));
    }
    return out.Take();
  }

 private:
  absl::Status Pack(absl::string_view text, ByteWriter& out) {
    for (const char c : text) {
      if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
        CLM_RETURN_IF_ERROR(Flush(out));
        continue;
      }
      digits_.push_back(c);
      if (digits_.size() > kMaxDigits) return absl::InvalidArgumentError(absl::StrCat("not a symbol: ", digits_));
    }
    return absl::OkStatus();
  }

  absl::Status Flush(ByteWriter& out) {
    if (digits_.empty()) return absl::OkStatus();
    uint32_t value = 0;
    if (!absl::SimpleAtoi(digits_, &value)) return absl::InvalidArgumentError(absl::StrCat("not a symbol: ", digits_));
    out.WriteU32(value);
    digits_.clear();
    return absl::OkStatus();
  }

  Input& input_;
  std::string digits_;
};

// Sends `start` alone and gives the summary of the answer.
template <typename Request, typename Response>
absl::StatusOr<typename Response::Summary> RunOnServer(grpc::ClientContext& context,
                                                       grpc::ClientReaderWriterInterface<Request, Response>& stream,
                                                       const Request& start,
                                                       const std::function<void(const Response&)>& look) {
  typename Response::Summary summary;
  CLM_RETURN_IF_ERROR((PumpStream<Request, Response>(
      context, stream, start, [] { return std::string(); }, [](const std::string&) { return Request(); },
      [&](const Response& response) {
        look(response);
        if (response.has_summary()) summary = response.summary();
        return absl::OkStatus();
      })));
  return summary;
}

std::string Describe(const v1::FileReport& report) {
  return absl::StrCat("read ", report.input_bytes(), " bytes, sha256 ", report.input_sha256(), "\nwrote ",
                      report.output_bytes(), " bytes, sha256 ", report.output_sha256(), "\n",
                      FormatBytes(static_cast<uint64_t>(report.bytes_per_second())), "/s");
}

absl::Status EncodeFiles(Session& session, const EncodeFlags& flags) {
  v1::EncodeRequest start = flags.start;
  *start.mutable_start()->mutable_files() = flags.files.paths;
  const auto stub = v1::CompressionService::NewStub(session.channel());
  grpc::ClientContext context;
  v1::EncodeResponse::Header header;
  CLM_ASSIGN_OR_RETURN(const v1::EncodeResponse::Summary summary,
                       (RunOnServer<v1::EncodeRequest, v1::EncodeResponse>(
                           context, *stub->Encode(&context), start, [&header](const v1::EncodeResponse& response) {
                             if (response.has_header()) header = response.header();
                           })));
  if (session.json()) {
    session.PrintJson(summary);
    return absl::OkStatus();
  }
  std::printf("%s\n%s\n", Describe(summary.files()).c_str(),
              absl::StrCat(summary.symbols(), " symbols of ", header.vocab_size(), ", ", header.width_bytes(),
                           " bytes each, fingerprint ", header.fingerprint().substr(0, 16))
                  .c_str());
  return absl::OkStatus();
}

absl::Status DecodeFiles(Session& session, const DecodeFlags& flags) {
  v1::DecodeRequest start = flags.start;
  start.mutable_start()->set_width_bytes(flags.packed_width);
  *start.mutable_start()->mutable_files() = flags.files.paths;
  const auto stub = v1::CompressionService::NewStub(session.channel());
  grpc::ClientContext context;
  CLM_ASSIGN_OR_RETURN(const v1::DecodeResponse::Summary summary,
                       (RunOnServer<v1::DecodeRequest, v1::DecodeResponse>(context, *stub->Decode(&context), start,
                                                                           [](const v1::DecodeResponse&) {})));
  if (session.json()) {
    session.PrintJson(summary);
    return absl::OkStatus();
  }
  std::printf(
      "%s\n%s\n", Describe(summary.files()).c_str(),
      absl::StrCat(summary.symbols(), " symbols, ", summary.valid_utf8() ? "valid" : "NOT valid", " UTF-8").c_str());
  return absl::OkStatus();
}

absl::Status Encode(Session& session, const EncodeFlags& flags) {
  if (flags.files.given()) return EncodeFiles(session, flags);
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(flags.input));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Output> output, Output::Create(flags.output));
  const auto stub = v1::CompressionService::NewStub(session.channel());
  grpc::ClientContext context;
  const auto stream = stub->Encode(&context);
  v1::EncodeResponse::Header header;
  v1::EncodeResponse::Summary summary;
  CLM_RETURN_IF_ERROR((PumpStream<v1::EncodeRequest, v1::EncodeResponse>(
      context, *stream, flags.start, [&] { return input->Read(kStreamChunkBytes); },
      [](std::string data) {
        v1::EncodeRequest part;
        part.set_data(std::move(data));
        return part;
      },
      [&](const v1::EncodeResponse& response) {
        if (response.has_header()) header = response.header();
        if (response.has_summary()) summary = response.summary();
        return output->Write(flags.packed ? response.symbols() : ToText(response.symbols(), header.width_bytes()));
      })));
  if (!flags.packed) CLM_RETURN_IF_ERROR(output->Write("\n"));
  CLM_RETURN_IF_ERROR(output->Commit());
  session.Note(absl::StrCat(summary.original_bytes(), " bytes, ", summary.symbols(), " symbols of ",
                            header.vocab_size(), ", ", header.width_bytes(), " bytes each when packed, fingerprint ",
                            header.fingerprint().substr(0, 16)));
  return absl::OkStatus();
}

absl::Status Decode(Session& session, const DecodeFlags& flags) {
  if (flags.files.given()) return DecodeFiles(session, flags);
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(flags.input));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Output> output, Output::Create(flags.output));
  v1::DecodeRequest start = flags.start;
  start.mutable_start()->set_width_bytes(flags.packed_width == 0 ? 4 : flags.packed_width);
  TextSymbols text(*input);
  const auto stub = v1::CompressionService::NewStub(session.channel());
  grpc::ClientContext context;
  const auto stream = stub->Decode(&context);
  v1::DecodeResponse::Summary summary;
  CLM_RETURN_IF_ERROR((PumpStream<v1::DecodeRequest, v1::DecodeResponse>(
      context, *stream, start, [&] { return flags.packed_width == 0 ? text.Read() : input->Read(kStreamChunkBytes); },
      [](std::string symbols) {
        v1::DecodeRequest part;
        part.set_symbols(std::move(symbols));
        return part;
      },
      [&](const v1::DecodeResponse& response) {
        if (response.has_summary()) summary = response.summary();
        return output->Write(response.data());
      })));
  CLM_RETURN_IF_ERROR(output->Commit());
  session.Note(absl::StrCat(summary.symbols(), " symbols, ", summary.decoded_bytes(), " bytes, ",
                            summary.valid_utf8() ? "valid" : "NOT valid", " UTF-8, sha256 ", summary.sha256()));
  return absl::OkStatus();
}

void AddRepresentationFlags(CLI::App& command, v1::RepresentationRef& ref) {
  command
      .add_option_function<std::string>(
          "--representation", [&ref](const std::string& value) { ref.set_kind(value); },
          "byte, token or coordinate (default: that of --artifact)")
      ->check(CLI::IsMember({"byte", "token", "coordinate"}));
  command.add_option_function<std::string>(
      "--artifact", [&ref](const std::string& value) { ref.set_artifact(value); },
      "Tokenizer, universe, corpus or checkpoint that gives the tables");
}

// --input-path and --output-path, in place of `local`, the options about files of this machine.
CLI::Option* AddFileFlags(CLI::App& command, v1::FilePaths& paths, const std::vector<CLI::Option*>& local) {
  CLI::Option* const input = command.add_option_function<std::string>(
      "--input-path", [&paths](const std::string& value) { paths.set_input_path(value); },
      "File on the server that is read, below an allowed root; nothing is sent");
  CLI::Option* const output = command.add_option_function<std::string>(
      "--output-path", [&paths](const std::string& value) { paths.set_output_path(value); },
      "File on the server that is written, below a writable root");
  input->needs(output);
  output->needs(input);
  for (CLI::Option* const option : local) input->excludes(option);
  command
      .add_flag_callback(
          "--overwrite", [&paths] { paths.set_overwrite(true); }, "Replace --output-path when it exists")
      ->needs(output);
  return input;
}

}  // namespace

void AddEncode(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<EncodeFlags>();
  CLI::App* command = app.add_subcommand("encode", "Bytes of one document to symbols");
  AddRepresentationFlags(*command, *flags->start.mutable_start()->mutable_representation());
  CLI::Option* const input = command->add_option("input", flags->input, "File, or - for stdin");
  CLI::Option* const output = command->add_option("-o,--out", flags->output, "File, or - for stdout");
  input->capture_default_str();
  output->capture_default_str();
  command->add_flag("--packed", flags->packed, "Little-endian numbers instead of text; always so with --output-path");
  AddFileFlags(*command, flags->files.paths, {input, output});
  command->callback([&session, flags] { session.exit_code = session.Report(Encode(session, *flags)); });
}

void AddDecode(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<DecodeFlags>();
  CLI::App* command = app.add_subcommand("decode", "Symbols of one document to bytes");
  AddRepresentationFlags(*command, *flags->start.mutable_start()->mutable_representation());
  CLI::Option* const input = command->add_option("input", flags->input, "File, or - for stdin");
  CLI::Option* const output = command->add_option("-o,--out", flags->output, "File, or - for stdout");
  input->capture_default_str();
  output->capture_default_str();
  CLI::Option* const packed =
      command->add_option("--packed", flags->packed_width, "The input is packed, this many bytes per symbol");
  packed->check(CLI::IsMember({2, 4}));
  AddFileFlags(*command, flags->files.paths, {input, output})->needs(packed);
  command->callback([&session, flags] { session.exit_code = session.Report(Decode(session, *flags)); });
}

}  // namespace clm::client
