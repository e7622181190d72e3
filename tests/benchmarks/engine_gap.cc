// What the integers of the engine cost: nats per symbol of a checkpoint as the engine computes it, against the same
// forward pass in double precision, over the first symbols of each file.
//
//   clm_engine_gap --checkpoint FOLDER [--tokenizer tokenizer.json] [--symbols N] FILE...
//
// Both see each file as one document with the whole window of the model. The pass in double is the tests' own: slow,
// written to be read.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "core/base/file_io.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/parameter_layout.h"
#include "core/engine/engine_predictor.h"
#include "core/representation/byte.h"
#include "core/representation/token.h"
#include "tests/core/engine/float_twin.h"

namespace clm {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 30;

struct Options {
  std::string checkpoint;
  std::string tokenizer;
  size_t symbols = 4000;
  std::vector<std::string> files;
};

// Nats of `symbols` after the boundary.
double FloatNats(const ModelConfig& config, std::span<const float> weights, std::span<const SymbolId> symbols) {
  std::vector<SymbolId> fed = {static_cast<SymbolId>(config.boundary)};
  fed.insert(fed.end(), symbols.begin(), symbols.end() - 1);
  FloatTwin twin(config, weights);
  const auto logits = twin.Logits(fed, static_cast<size_t>(config.max_positions));
  double nats = 0;
  for (size_t i = 0; i < symbols.size(); ++i) {
    const double largest = *std::max_element(logits[i].begin(), logits[i].end());
    double sum = 0;
    for (const double logit : logits[i]) sum += std::exp(logit - largest);
    nats += std::log(sum) + largest - logits[i][symbols[i]];
  }
  return nats;
}

absl::StatusOr<std::unique_ptr<Representation>> OpenRepresentation(const std::string& tokenizer) {
  if (tokenizer.empty()) return std::make_unique<ByteRepresentation>();
  CLM_ASSIGN_OR_RETURN(const std::string json, ReadFile(PosixFileSystem(), tokenizer, kMaxTokenizerFileBytes));
  CLM_ASSIGN_OR_RETURN(auto opened, Tokenizer::FromJson(json));
  return std::make_unique<TokenRepresentation>(std::move(opened));
}

absl::Status Run(const Options& options) {
  const FileSystem& files = PosixFileSystem();
  CLM_ASSIGN_OR_RETURN(const ModelConfig config, ReadCheckpointConfig(files, options.checkpoint));
  CLM_ASSIGN_OR_RETURN(const CheckpointWeights stored, CheckpointWeights::Open(files, options.checkpoint, config));
  std::vector<float> weights(static_cast<size_t>(ParameterLayout::Plain(config).total()));
  stored.Read(weights);
  CLM_ASSIGN_OR_RETURN(const auto model, EngineModel::FromWeights(config, weights));
  CLM_ASSIGN_OR_RETURN(const auto scorer, EngineScorer::Create(model, {.lanes = 1, .threads = 0}));
  CLM_ASSIGN_OR_RETURN(const auto representation, OpenRepresentation(options.tokenizer));
  std::printf("%-40s %8s %12s %12s %9s\n", "file", "symbols", "float nats", "integer nats", "gap");
  for (const std::string& path : options.files) {
    CLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, path, kMaxFileBytes));
    CLM_ASSIGN_OR_RETURN(std::vector<SymbolId> symbols, representation->Encode(text));
    symbols.resize(std::min(symbols.size(), options.symbols));
    if (symbols.empty()) return absl::InvalidArgumentError(path + " has no symbols");
    CLM_ASSIGN_OR_RETURN(const auto scored, scorer->Score({&symbols, 1}, CancellationToken()));
    const auto count = static_cast<double>(symbols.size());
    const double exact = FloatNats(config, weights, symbols) / count;
    const double integer = scored.front().nats / count;
    std::printf("%-40s %8zu %12.5f %12.5f %+8.3f%%\n", path.c_str(), symbols.size(), exact, integer,
                100 * (integer / exact - 1));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace clm

int main(int argc, char** argv) {
  clm::Options options;
  CLI::App app("What the integers of the engine cost, in nats per symbol");
  app.add_option("--checkpoint", options.checkpoint, "Folder of config.json and model.safetensors")->required();
  app.add_option("--tokenizer", options.tokenizer, "tokenizer.json; without one, bytes");
  app.add_option("--symbols", options.symbols, "Of each file, at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("files", options.files)->required();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = clm::Run(options);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
