// A prepared corpus and a model small enough to train in a second.
#pragma once

#include <string>

#include "core/pipeline/prepare.h"
#include "core/pipeline/train.h"
#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {

class TrainedTest : public PipelineTest {
 protected:
  TrainedTest() {
    PrepareOptions options;
    options.inputs = {WriteInput("corpus.jsonl", Sentences())};
    options.vocab_size = 300;
    options.universe.nodes_per_layer = 20;
    auto outcome = RunPrepare(options, Context("prepare"));
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    prepared_ = *std::move(outcome);
  }

  // Eight steps of a model of a few thousand parameters.
  TrainOptions Options(const std::string& representation) const {
    TrainOptions options;
    options.corpus = prepared_.corpus;
    options.representation = representation;
    options.model.hidden_size = 16;
    options.model.layers = 1;
    options.model.heads = 2;
    options.model.kv_heads = 2;
    options.model.intermediate_size = 24;
    options.model.max_positions = 32;
    options.train.bytes_budget = 8192;
    options.train.bytes_per_step = 1024;
    options.train.threads = 1;
    options.device = "cpu";
    return options;
  }

  PrepareOutcome prepared_;
};

}  // namespace clm
