#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/command.h"
#include "client/commands/submit_options.h"
#include "client/job_watch.h"
#include "client/render.h"
#include "core/base/units.h"

namespace clm::client {
namespace {

struct Flags {
  SourceFlags source;
  SubmitOptions submit;
  v1::EvaluateSpec spec;
};

void Print(const v1::Job& job) {
  const v1::EvaluateResult& result = job.result().evaluate();
  const double bytes = static_cast<double>(result.original_bytes());
  std::printf("report          %s\n", result.report().c_str());
  std::printf("representation  %s\n", result.representation().c_str());
  std::printf("BPB             %.4f [%.4f, %.4f] (95 %%, document bootstrap)\n", result.bits_per_byte().value(),
              result.bits_per_byte().low(), result.bits_per_byte().high());
  std::printf("original bytes  %llu in %llu documents\n", static_cast<unsigned long long>(result.original_bytes()),
              static_cast<unsigned long long>(result.documents()));
  std::printf("symbols/byte    %.4f\n", static_cast<double>(result.symbols()) / bytes);
  std::printf("scored          %s/s\n", FormatBytes(static_cast<uint64_t>(result.scored_bytes_per_second())).c_str());
  if (result.generated_bytes_per_second() > 0) {
    std::printf("generated       %s/s\n",
                FormatBytes(static_cast<uint64_t>(result.generated_bytes_per_second())).c_str());
  }
}

int Run(Session& session, Flags& flags) {
  v1::JobSpec spec;
  *spec.mutable_evaluate() = flags.spec;
  if (!flags.source.empty()) {
    const auto source = MakeSource(session, flags.source);
    if (!source.ok()) return session.Report(source.status());
    *spec.mutable_evaluate()->mutable_source() = *source;
  }
  return RunJob(session, spec, flags.submit, Print);
}

}  // namespace

void AddEvaluate(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("evaluate", "Measure a checkpoint in bits per original byte");
  v1::EvaluateSpec& spec = flags->spec;
  command
      ->add_option_function<std::string>(
          "checkpoint", [&spec](const std::string& value) { spec.set_checkpoint(value); }, "Checkpoint artifact")
      ->required();
  command
      ->add_option_function<std::string>(
          "--split", [&spec](const std::string& value) { spec.set_split(value); },
          "Split of the checkpoint's corpus (default validation)")
      ->check(CLI::IsMember({"build", "selection", "validation"}));
  AddSourceFlags(*command, flags->source);
  command->add_option_function<uint32_t>(
      "--overlap", [&spec](uint32_t value) { spec.set_context_overlap(value); },
      "Left context kept by a window (default: half of the context)");
  command->add_option_function<uint32_t>(
      "--resamples", [&spec](uint32_t value) { spec.set_bootstrap_resamples(value); }, "Bootstrap resamples");
  command->add_option_function<uint64_t>(
      "--max-bytes", [&spec](uint64_t value) { spec.set_max_bytes(value); }, "Stop after this many original bytes");
  command->add_flag_function(
      "--measure-generation", [&spec](int64_t) { spec.set_measure_generation(true); },
      "Also measure decoded bytes/s of generation");
  command
      ->add_option_function<std::string>(
          "--device", [&spec](const std::string& value) { spec.set_device(value); }, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  AddSubmitFlags(*command, flags->submit);
  command->callback([&session, flags] { session.exit_code = Run(session, *flags); });
}

}  // namespace clm::client
