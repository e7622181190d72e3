#include "core/checkpoint/model_config.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

ModelConfig Config() {
  ModelConfig config;
  config.vocab_size = 300;
  config.boundary = 256;
  return config;
}

TEST(ModelConfigTest, JsonComesBackEqual) {
  ModelConfig config = Config();
  config.kv_heads = 2;
  config.tie_embeddings = true;
  config.rope_theta = 12345.5;
  config.rms_norm_eps = 1e-6;
  ASSERT_OK_AND_ASSIGN(const ModelConfig read, ModelConfigFromJson(ModelConfigToJson(config)));
  EXPECT_EQ(read, config);
}

TEST(ModelConfigTest, RopeOfTransformersFiveIsRead) {
  const std::string json = absl::StrReplaceAll(
      ModelConfigToJson(Config()),
      {{"\"rope_theta\": 10000.0", "\"rope_parameters\": {\"rope_theta\": 500.0, \"rope_type\": \"default\"}"}});
  ASSERT_OK_AND_ASSIGN(const ModelConfig read, ModelConfigFromJson(json));
  EXPECT_EQ(read.rope_theta, 500.0);
}

struct Refused {
  std::string from;
  std::string to;
  std::string message;
};
class ModelConfigRefusalTest : public ::testing::TestWithParam<Refused> {};

TEST_P(ModelConfigRefusalTest, WhatIsNotImplementedIsNamed) {
  const std::string good = ModelConfigToJson(Config());
  const std::string bad = absl::StrReplaceAll(good, {{GetParam().from, GetParam().to}});
  ASSERT_NE(bad, good);
  EXPECT_THAT(ModelConfigFromJson(bad), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, ModelConfigRefusalTest,
    ::testing::Values(Refused{"\"silu\"", "\"gelu\"", "hidden_act is \"gelu\""},
                      Refused{"\"attention_bias\": false", "\"attention_bias\": true", "attention_bias is true"},
                      Refused{"\"mlp_bias\": false", "\"mlp_bias\": true", "mlp_bias"},
                      Refused{"\"llama\"", "\"gpt2\"", "model_type is \"gpt2\""},
                      Refused{"LlamaForCausalLM", "MistralForCausalLM", "architectures"},
                      Refused{"\"float32\"", "\"float8_e4m3fn\"", "torch_dtype"},
                      Refused{"\"head_dim\": 32", "\"head_dim\": 64", "head_dim is 64"},
                      Refused{"\"bos_token_id\": 256", "\"bos_token_id\": 1", "bos_token_id is 1"},
                      Refused{"\"vocab_size\": 300", "\"vocab_size\": 256", "boundary is 256"},
                      Refused{"\"vocab_size\": 300", "\"vocab_size\": -1", "vocab_size is -1"},
                      Refused{"\"vocab_size\": 300", "\"vocab_size\": 1e3", "vocab_size is 1000.0"},
                      Refused{"\"vocab_size\": 300", "\"vocab_size\": 99999999999999999999", "vocab_size"},
                      Refused{"\"hidden_size\"", "\"hidden_sizes\"", "hidden_size is missing"},
                      Refused{"\"num_key_value_heads\": 4", "\"num_key_value_heads\": 3", "kv_heads is 3"},
                      Refused{"\"num_hidden_layers\": 4", "\"num_hidden_layers\": 257", "layers is 257"},
                      Refused{"\"rope_theta\": 10000.0", "\"rope_scaling\": {\"rope_type\": \"llama3\"}",
                              "rope_scaling.rope_type is \"llama3\""},
                      Refused{"\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 0", "rms_norm_eps is 0"},
                      Refused{"\"mlp_bias\": false", "\"quantization_config\": {}", "quantization_config"},
                      Refused{"\"tie_word_embeddings\": false", "\"tie_word_embeddings\": 1", "tie_word_embeddings"}));

TEST(ModelConfigTest, TextThatIsNoObjectIsRefused) {
  for (const std::string& json : {std::string(), std::string("[]"), std::string("{"), std::string(100000, '[')}) {
    EXPECT_THAT(ModelConfigFromJson(json), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(ModelConfigFromJson(std::string((1 << 20) + 1, ' ')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1048576")));
}

TEST(ModelConfigTest, ParameterCountFollowsTheFormula) {
  // By hand, d 128, F 344, V 300, 4 layers, all heads alike: 4 * (4 * 16384 + 3 * 44032 + 256) + 128 and 300 * 128.
  const ParameterCounts counts = CountParameters(Config());
  EXPECT_EQ(counts.body, 791680U);
  EXPECT_EQ(counts.embedding, 38400U);
  EXPECT_EQ(counts.head, 38400U);
  ModelConfig tied = Config();
  tied.tie_embeddings = true;
  tied.kv_heads = 1;  // k and v shrink from 128 to 32 rows: 2 * 96 * 128 less per layer
  EXPECT_EQ(CountParameters(tied).head, 0U);
  EXPECT_EQ(counts.body - CountParameters(tied).body, 98304U);
}

}  // namespace
}  // namespace clm
