#include <algorithm>
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
  v1::PrepareSpec spec;
  std::vector<std::string> representations;
};

void Print(const v1::Job& job) {
  const v1::PrepareResult& result = job.result().prepare();
  std::vector<std::vector<std::string>> rows = {
      {"split", "representation", "documents", "original bytes", "symbols", "symbols/byte"}};
  for (const v1::PreparedStream& stream : result.streams()) {
    const double bytes = static_cast<double>(std::max<uint64_t>(stream.original_bytes(), 1));
    rows.push_back({stream.split(), stream.representation(), absl::StrCat(stream.documents()),
                    absl::StrCat(stream.original_bytes()), absl::StrCat(stream.symbols()),
                    Number(static_cast<double>(stream.symbols()) / bytes, 4)});
  }
  std::printf("%s", Table(rows).c_str());
  if (result.bad_lines() > 0) {
    std::printf("bad lines  %llu\n", static_cast<unsigned long long>(result.bad_lines()));
    for (const std::string& line : result.bad_line_examples()) std::printf("  %s\n", line.c_str());
  }
  std::printf("tokenizer  %s\n", result.tokenizer().c_str());
  if (!result.universe().empty()) std::printf("universe   %s\n", result.universe().c_str());
  std::printf("corpus     %s\n", result.corpus().c_str());
}

void AddTokenizerFlags(CLI::App& command, v1::PrepareSpec& spec) {
  command.add_option_function<uint32_t>(
      "--vocab-size", [&spec](uint32_t value) { spec.mutable_tokenizer()->set_vocab_size(value); },
      "Base vocabulary, special tokens included (default 4096)");
  command.add_option_function<std::string>(
      "--tokenizer", [&spec](const std::string& value) { spec.mutable_tokenizer()->set_artifact(value); },
      "Use this instead of training one: a tokenizer, or an uploaded tokenizer.json or rank file");
  command.add_option_function<std::string>(
      "--encoding", [&spec](const std::string& value) { spec.mutable_tokenizer()->set_encoding(value); },
      "Which encoding an uploaded rank file is, for example cl100k_base");
  command.add_option_function<std::string>(
      "--pattern", [&spec](const std::string& value) { spec.mutable_tokenizer()->set_pattern(value); },
      "How text is split into pieces: gpt2, cl100k, qwen2, o200k, none, or a regular expression (default gpt2)");
  command.add_option_function<uint32_t>(
      "--superword-from", [&spec](uint32_t value) { spec.mutable_tokenizer()->set_superword_from(value); },
      "Learn this many entries inside words, and the rest of the vocabulary as tokens that may reach over several");
}

void AddUniverseFlags(CLI::App& command, v1::PrepareSpec& spec) {
  command
      .add_option_function<std::string>(
          "--preset", [&spec](const std::string& value) { spec.mutable_universe()->set_preset(value); },
          "Values for what is left out: pairs, w or ws (default pairs)")
      ->check(CLI::IsMember({"pairs", "w", "ws"}));
  command.add_option_function<uint32_t>(
      "--layers", [&spec](uint32_t value) { spec.mutable_universe()->set_layers(value); },
      "Layers of the universe; 0 for none (default 2)");
  command.add_option_function<uint32_t>(
      "--nodes-per-layer", [&spec](uint32_t value) { spec.mutable_universe()->set_nodes_per_layer(value); },
      "Definitions kept per layer (default 4096)");
  command.add_option_function<std::string>(
      "--extend", [&spec](const std::string& value) { spec.mutable_universe()->set_extends(value); },
      "Learn the layers behind those of this universe");
  command.add_option_function<uint64_t>(
      "--min-count", [&spec](uint64_t value) { spec.mutable_universe()->set_min_count(value); },
      "Pairs seen less often are no candidates (default 2)");
  command
      .add_option_function<std::string>(
          "--strategy", [&spec](const std::string& value) { spec.mutable_universe()->set_strategy(value); },
          "How pairs are ranked: count, pmi, conditional, or auto for the best of them (default count)")
      ->check(CLI::IsMember({"count", "pmi", "conditional", "auto"}));
  command
      .add_option_function<std::string>(
          "--constraint", [&spec](const std::string& value) { spec.mutable_universe()->set_constraint(value); },
          "Where pairs may fold: none or within_pretoken (default none)")
      ->check(CLI::IsMember({"none", "within_pretoken"}));
}

void AddRunFlags(CLI::App& command, Flags& flags) {
  command
      .add_option_function<uint64_t>(
          "--memory-limit", [&flags](uint64_t value) { flags.spec.set_memory_limit_bytes(value); },
          "Memory for learning, for example 512MB; the rest goes to files (default no limit)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false));
  command.add_option("--representations", flags.representations, "Streams to write (default token coordinate)")
      ->delimiter(',')
      ->check(CLI::IsMember({"byte", "token", "coordinate"}));
}

int Run(Session& session, Flags& flags) {
  if (flags.source.empty()) {
    return session.Report(absl::InvalidArgumentError("prepare needs FILES, --server-path or --artifact"));
  }
  const auto source = MakeSource(session, flags.source);
  if (!source.ok()) return session.Report(source.status());
  v1::JobSpec spec;
  *spec.mutable_prepare() = flags.spec;
  *spec.mutable_prepare()->mutable_source() = *source;
  for (const std::string& name : flags.representations) spec.mutable_prepare()->add_representations(name);
  return RunJob(session, spec, flags.submit, Print);
}

}  // namespace

void AddPrepare(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("prepare", "Turn documents into tokenizer, universe and corpus");
  AddSourceFlags(*command, flags->source);
  AddTokenizerFlags(*command, flags->spec);
  AddUniverseFlags(*command, flags->spec);
  AddRunFlags(*command, *flags);
  AddSubmitFlags(*command, flags->submit);
  command->callback([&session, flags] { session.exit_code = Run(session, *flags); });
}

}  // namespace clm::client
