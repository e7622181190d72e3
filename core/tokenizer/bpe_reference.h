// The meaning of byte-level BPE, written as plainly as possible: what the encoder and the trainer are compared with.
// Far too slow for anything but tests.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/merge_learner.h"

namespace clm {

// Ids of one piece: itself if it is a whole piece; else, while some adjacent pair has a merge, join the leftmost of the
// pairs with the lowest rank.
std::vector<SymbolId> BpeEncodeReference(const BpeVocab& vocab, absl::string_view piece);

// Ids of a document whose pieces are given, with superwords: in every chunk of them (text_counter.h), each superword
// merge in turn joins its pair everywhere, from left to right.
std::vector<SymbolId> BpeEncodeSuperwordsReference(const BpeVocab& vocab, const std::vector<std::string>& pieces);

// The rule of BpeTrainer with every pair counted anew before each merge. `pieces`: how often each piece occurs.
BpeLearned BpeTrainReference(const std::map<std::string, uint64_t>& pieces, const MergeLearnerOptions& options);

// The same with superwords. `chunks`: how often each chunk (text_counter.h) occurs, as the list of its pieces. The rule
// goes through the pieces until there are `superword_from` bytes and merges, then through the chunks.
BpeLearned BpeTrainSuperwordsReference(const std::map<std::vector<std::string>, uint64_t>& chunks,
                                       const MergeLearnerOptions& options, uint32_t superword_from);

}  // namespace clm
