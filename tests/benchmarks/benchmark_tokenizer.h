// The vocabulary that benchmarks run with: a file that the caller names, or one learnt here.
//
//   CLM_BENCHMARK_TOKENIZER  tokenizer.json to read; empty or unset: 8,192 entries learnt from the first 4 MiB of
//   Text(),
//                            with GPT-2's pattern
#pragma once

#include <memory>
#include <string>

#include "core/tokenizer/tokenizer.h"

namespace clm::benchmarking {

// The content of tokenizer.json; read or learnt at the first call. Ends the process with a message when it cannot be.
const std::string& TokenizerJson();

// A tokenizer that nothing has been encoded with. Ends the process with a message when the file is no good.
std::shared_ptr<const Tokenizer> NewTokenizer();

}  // namespace clm::benchmarking
