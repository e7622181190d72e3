// A prepared corpus, and small checkpoints over its tokens with weights drawn from a seed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/checkpoint.h"
#include "core/pipeline/prepare.h"
#include "core/pipeline/representation_loader.h"
#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {

class EngineTest : public PipelineTest {
 protected:
  EngineTest() {
    PrepareOptions options;
    options.inputs = {WriteInput("corpus.jsonl", Sentences())};
    options.vocab_size = 300;
    options.universe.layers = 0;
    options.representations = {"token"};
    auto outcome = RunPrepare(options, Context());
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    corpus_ = outcome->corpus;
    representation_ = LoadRepresentation(*store_, corpus_, "token", {})->representation;
  }

  // `trained_with`: what the checkpoint says its representation was.
  ArtifactId MakeCheckpoint(uint64_t seed, const std::string& trained_with) {
    ModelConfig config;
    config.vocab_size = representation_->layout().vocab_size;
    config.hidden_size = 16;
    config.intermediate_size = 24;
    config.layers = 1;
    config.heads = 2;
    config.kv_heads = 2;
    config.max_positions = 32;
    config.boundary = representation_->layout().boundary;
    const ParameterLayout layout = ParameterLayout::Plain(config);
    std::vector<float> weights(static_cast<size_t>(layout.total()));
    layout.Initialise(seed, weights);
    const std::string folder = directory_.File(absl::StrCat("artifacts/tmp/checkpoint", seed, trained_with.size()));
    std::filesystem::create_directories(folder);
    EXPECT_OK(WriteCheckpoint(PosixFileSystem(), folder, config, weights));
    CommitOptions options;
    options.parents = {corpus_};
    options.attributes = {{kRepresentationAttribute, "token"}, {kFingerprintAttribute, trained_with}};
    auto id = store_->CommitFolder(ArtifactKind::kCheckpoint, folder, options);
    EXPECT_TRUE(id.ok()) << id.status();
    return *id;
  }
  ArtifactId MakeCheckpoint(uint64_t seed) { return MakeCheckpoint(seed, representation_->fingerprint()); }

  ArtifactId corpus_;
  std::shared_ptr<const Representation> representation_;
};

}  // namespace clm
