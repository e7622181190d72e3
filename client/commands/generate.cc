#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/command.h"
#include "client/files.h"
#include "client/render.h"
#include "clm/v1/service.grpc.pb.h"
#include "core/base/status_macros.h"

namespace clm::client {
namespace {

constexpr size_t kMaxPromptBytes = 1 << 20;

struct Flags {
  v1::GenerateRequest request;
  std::string prompt;
  std::string prompt_file;
  std::vector<std::string> stop;
  bool echo = false;
};

std::string ReasonName(v1::StopReason reason) {
  switch (reason) {
    case v1::STOP_REASON_BOUNDARY:
      return "end of document";
    case v1::STOP_REASON_MAX_BYTES:
      return "byte limit";
    case v1::STOP_REASON_MAX_SYMBOLS:
      return "symbol limit";
    case v1::STOP_REASON_STOP_STRING:
      return "stop string";
    default:
      return "unknown";
  }
}

absl::Status Generate(Session& session, Flags& flags) {
  v1::GenerateRequest& request = flags.request;
  request.set_prompt(flags.prompt);
  if (!flags.prompt_file.empty()) {
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(flags.prompt_file));
    CLM_ASSIGN_OR_RETURN(const std::string prompt, input->ReadAll(kMaxPromptBytes));
    request.set_prompt(prompt);
  }
  for (const std::string& stop : flags.stop) request.add_stop(stop);
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Output> output, Output::Create("-"));
  if (flags.echo && !session.json()) CLM_RETURN_IF_ERROR(output->Write(request.prompt()));

  const auto stub = v1::CompressionService::NewStub(session.channel());
  grpc::ClientContext context;
  const InterruptScope scope([&context] { context.TryCancel(); });
  const auto reader = stub->Generate(&context, request);
  v1::GenerateResponse response;
  v1::GenerateResponse all;
  while (reader->Read(&response)) {
    if (session.json()) {
      all.mutable_text()->append(response.text());
      all.mutable_symbols()->append(response.symbols());
    } else {
      CLM_RETURN_IF_ERROR(output->Write(response.text()));
      CLM_RETURN_IF_ERROR(output->Commit());  // shown as it comes
    }
    if (response.has_summary()) *all.mutable_summary() = response.summary();
  }
  CLM_RETURN_IF_ERROR(ToAbsl(reader->Finish()));
  if (session.json()) {
    session.PrintJson(all);
    return absl::OkStatus();
  }
  CLM_RETURN_IF_ERROR(output->Write("\n"));
  CLM_RETURN_IF_ERROR(output->Commit());
  session.Note(absl::StrCat(all.summary().new_symbols(), " symbols, ", all.summary().new_bytes(), " bytes, ",
                            Number(all.summary().bytes_per_second(), 0), " bytes/s; stopped by ",
                            ReasonName(all.summary().stop_reason())));
  return absl::OkStatus();
}

void AddSamplingFlags(CLI::App& command, v1::GenerateRequest& request) {
  command.add_option_function<double>(
      "--temperature", [&request](double value) { request.set_temperature(value); },
      "0 takes the likeliest symbol (default 1)");
  command.add_option_function<uint32_t>(
      "--top-k", [&request](uint32_t value) { request.set_top_k(value); }, "Only the k likeliest symbols");
  command.add_option_function<double>(
      "--top-p", [&request](double value) { request.set_top_p(value); }, "Only the likeliest symbols up to this mass");
  command.add_option_function<uint64_t>(
      "--seed", [&request](uint64_t value) { request.set_seed(value); }, "Same seed, same text (default 0)");
  command.add_option_function<uint64_t>(
      "--max-new-bytes", [&request](uint64_t value) { request.set_max_new_bytes(value); }, "Default 256");
  command.add_option_function<uint64_t>(
      "--max-new-symbols", [&request](uint64_t value) { request.set_max_new_symbols(value); }, "Default: no limit");
  command.add_flag_function(
      "--ignore-boundary", [&request](int64_t) { request.set_ignore_boundary(true); },
      "Go on beyond the end of the document");
  command.add_flag_function(
      "--exact", [&request](int64_t) { request.set_exact(true); },
      "Predict with the integer engine: the same text on every machine");
}

}  // namespace

void AddGenerate(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("generate", "Continue a text");
  v1::GenerateRequest& request = flags->request;
  command
      ->add_option_function<std::string>(
          "checkpoint", [&request](const std::string& value) { request.set_checkpoint(value); }, "Checkpoint artifact")
      ->required();
  command->add_option("--prompt", flags->prompt, "Text to continue");
  command->add_option("--prompt-file", flags->prompt_file, "File with the text to continue, or - for stdin");
  command->add_option("--stop", flags->stop, "Stop before this text; may be repeated");
  command->add_flag("--echo", flags->echo, "Print the prompt too");
  AddSamplingFlags(*command, request);
  command->callback([&session, flags] { session.exit_code = session.Report(Generate(session, *flags)); });
}

}  // namespace clm::client
