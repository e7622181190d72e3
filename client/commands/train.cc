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
  SubmitOptions submit;
  v1::TrainSpec spec;
};

void Print(const v1::Job& job) {
  const v1::TrainResult& result = job.result().train();
  std::printf("checkpoint      %s\n", result.checkpoint().c_str());
  std::printf("report          %s\n", result.report().c_str());
  std::printf("parameters      %llu\n", static_cast<unsigned long long>(result.parameters()));
  std::printf("steps           %llu\n", static_cast<unsigned long long>(result.steps()));
  std::printf("original bytes  %llu (%s/s)\n", static_cast<unsigned long long>(result.original_bytes()),
              FormatBytes(static_cast<uint64_t>(result.bytes_per_second())).c_str());
  std::printf("loss            %.4f nats/byte\n", result.loss_nats_per_byte());
  std::printf("validation      %.4f BPB (sample)\n", result.validation_bits_per_byte());
}

void AddModelFlags(CLI::App& command, v1::ModelOptions& model) {
  const auto add = [&command, &model](const char* name, void (v1::ModelOptions::*set)(uint32_t), const char* help) {
    command.add_option_function<uint32_t>(
        name, [&model, set](uint32_t value) { (model.*set)(value); }, help);
  };
  add("--hidden-size", &v1::ModelOptions::set_hidden_size, "Width of the body (default 128)");
  add("--layers", &v1::ModelOptions::set_layers, "Layers of the body (default 4)");
  add("--heads", &v1::ModelOptions::set_heads, "Attention heads (default 4)");
  add("--kv-heads", &v1::ModelOptions::set_kv_heads, "Key/value heads (default: heads)");
  add("--intermediate-size", &v1::ModelOptions::set_intermediate_size, "Inner width of SwiGLU (default 344)");
  add("--context", &v1::ModelOptions::set_context, "Longest context in symbols (default 256)");
  command.add_flag_function(
      "--untied", [&model](int64_t) { model.set_tie_embeddings(false); }, "Separate input and output rows");
  command.add_flag_function(
      "--compose-rows", [&model](int64_t) { model.set_compose_rows(true); },
      "Compose the rows of coordinates from their base symbols while training");
}

void AddRunFlags(CLI::App& command, v1::TrainSpec& spec) {
  command.add_option_function<uint64_t>(
      "--bytes-per-step", [&spec](uint64_t value) { spec.set_bytes_per_step(value); },
      "Original bytes per optimizer step (default 8192)");
  command.add_option_function<double>(
      "--learning-rate", [&spec](double value) { spec.mutable_optimizer()->set_learning_rate(value); },
      "Peak learning rate (default 3e-3)");
  command
      .add_option_function<std::string>(
          "--schedule", [&spec](const std::string& value) { spec.mutable_optimizer()->set_schedule(value); },
          "cosine or wsd (default cosine)")
      ->check(CLI::IsMember({"cosine", "wsd"}));
  command.add_option_function<uint64_t>(
      "--seed", [&spec](uint64_t value) { spec.set_seed(value); }, "Keys everything random (default 0)");
  command
      .add_option_function<std::string>(
          "--device", [&spec](const std::string& value) { spec.set_device(value); }, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  command.add_option_function<uint64_t>(
      "--eval-every", [&spec](uint64_t value) { spec.set_eval_every_steps(value); },
      "Steps between validation samples (default: ten per run)");
  command.add_option_function<uint64_t>(
      "--checkpoint-every", [&spec](uint64_t value) { spec.set_checkpoint_every_steps(value); },
      "Steps between training checkpoints (default: about one a minute)");
}

}  // namespace

void AddTrain(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("train", "Train a model on one representation of a corpus");
  v1::TrainSpec& spec = flags->spec;
  command
      ->add_option_function<std::string>(
          "corpus", [&spec](const std::string& value) { spec.set_corpus(value); }, "Corpus artifact")
      ->required();
  command
      ->add_option_function<std::string>(
          "--representation", [&spec](const std::string& value) { spec.set_representation(value); },
          "byte, token or coordinate (default token)")
      ->check(CLI::IsMember({"byte", "token", "coordinate"}));
  command
      ->add_option_function<uint64_t>(
          "--bytes", [&spec](uint64_t value) { spec.set_total_bytes(value); }, "Original bytes to read in all")
      ->required();
  AddModelFlags(*command, *spec.mutable_model());
  AddRunFlags(*command, spec);
  AddSubmitFlags(*command, flags->submit);
  command->callback([&session, flags] {
    v1::JobSpec job;
    *job.mutable_train() = flags->spec;
    session.exit_code = RunJob(session, job, flags->submit, Print);
  });
}

}  // namespace clm::client
