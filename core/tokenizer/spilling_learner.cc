#include "core/tokenizer/spilling_learner.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/count_bins.h"

namespace clm {
namespace {

constexpr int kLeastBucketBits = 10;
constexpr int kMostBucketBits = 20;
constexpr uint64_t kMostPatience = 16;
constexpr uint64_t kCheckEvery = 4096;  // words between two looks at the token
void JoinIn(std::vector<SymbolId>& tokens, const BpeMerge& merge) {
  size_t to = 0;
  for (size_t from = 0; from < tokens.size(); ++from, ++to) {
    const bool joins = from + 1 < tokens.size() && tokens[from] == merge.left && tokens[from + 1] == merge.right;
    tokens[to] = joins ? merge.result : tokens[from];
    if (joins) ++from;
  }
  tokens.resize(to);
}

}  // namespace

SpillingLearner::SpillingLearner(const SpillingLearnerOptions& options, BpeLearned learned, ScratchFolder& scratch)
    : options_(options),
      learned_(std::move(learned)),
      scratch_(scratch),
      bucket_shift_(64 - std::clamp(64 - std::countl_zero(uint64_t{options.max_word_cells}), kLeastBucketBits,
                                    kMostBucketBits)) {}

absl::StatusOr<SpillingLearner::WordFile> SpillingLearner::NewFile(bool has_pairs) const {
  WordFile file;
  file.has_pairs = has_pairs;
  CLM_ASSIGN_OR_RETURN(file.path, scratch_.NewPath());
  CLM_ASSIGN_OR_RETURN(file.writer, RecordWriter::Create(scratch_.files(), file.path));
  file.buckets.resize(size_t{1} << (64 - bucket_shift_));
  return file;
}

absl::Status SpillingLearner::StartFirstFile() {
  CLM_ASSIGN_OR_RETURN(words_, NewFile(/*has_pairs=*/false));
  return absl::OkStatus();
}

absl::Status SpillingLearner::AddTokens(std::span<const SymbolId> tokens, uint64_t count) {
  if (words_.writer == nullptr) CLM_RETURN_IF_ERROR(StartFirstFile());
  return Append(words_, tokens, count);
}

// Words of one token are left out: nothing can happen to them.
absl::Status SpillingLearner::Append(WordFile& file, std::span<const SymbolId> tokens, uint64_t count) {
  if (tokens.size() < 2) return absl::OkStatus();
  std::string record;
  AppendVarint(count, record);
  for (const SymbolId token : tokens) AppendVarint(token, record);
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    file.buckets[BucketOf(tokens[i], tokens[i + 1])] += count;
    if (file.has_pairs) file.pairs.FindOrAdd(KeyOfPair(tokens[i], tokens[i + 1])).count += count;
  }
  if (file.has_pairs && IsOver(file.pairs)) {
    file.has_pairs = false;
    file.pairs.Clear();
  }
  file.cells += tokens.size() + 1;
  return file.writer->Append(record);
}

absl::Status SpillingLearner::VisitFile(const CancellationToken& cancel,
                                        const std::function<absl::Status(const Word&)>& visit) const {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader, RecordReader::Open(scratch_.files(), words_.path));
  Word word;
  absl::string_view record;
  for (uint64_t visited = 0;; ++visited) {
    if (visited % kCheckEvery == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    CLM_ASSIGN_OR_RETURN(const bool is_there, reader->Next(record));
    if (!is_there) return absl::OkStatus();
    bool is_sound = TakeVarint(record, word.count);
    word.tokens.clear();
    while (is_sound && !record.empty()) {
      uint64_t token = 0;
      is_sound = TakeVarint(record, token) && token < learned_.tokens.size();
      word.tokens.push_back(static_cast<SymbolId>(token));
    }
    if (!is_sound || word.tokens.empty()) return absl::DataLossError(absl::StrCat(words_.path, ": bad word"));
    CLM_RETURN_IF_ERROR(visit(word));
  }
}

absl::Status SpillingLearner::ReplaceFile(WordFile next) {
  CLM_RETURN_IF_ERROR(next.writer->Finish(/*sync=*/false));
  CLM_RETURN_IF_ERROR(scratch_.files().RemoveFile(words_.path));
  words_ = std::move(next);
  return absl::OkStatus();
}

absl::Status SpillingLearner::Learn(const CancellationToken& cancel, const ProgressSink& progress,
                                    ThreadPool* threads) {
  if (words_.writer == nullptr) return absl::OkStatus();
  CLM_RETURN_IF_ERROR(words_.writer->Finish(/*sync=*/false));
  while (HasRoom()) {
    ++rounds_;
    CLM_ASSIGN_OR_RETURN(const uint64_t floor, ChooseFloor(cancel));
    if (floor > 0) {
      CLM_RETURN_IF_ERROR(LearnDownTo(floor, cancel, progress, threads));
      patience_ = 1;
      continue;
    }
    for (uint64_t i = 0; i < patience_ && HasRoom(); ++i) CLM_RETURN_IF_ERROR(JoinBestAlone(cancel));
    patience_ = std::min(2 * patience_, kMostPatience);
  }
  return absl::OkStatus();
}

// No pair of the word that may be joined counts more.
uint64_t SpillingLearner::Bound(const Word& word) const {
  uint64_t bound = 0;
  for (size_t i = 0; i + 1 < word.tokens.size(); ++i) {
    bound = std::max(bound, words_.buckets[BucketOf(word.tokens[i], word.tokens[i + 1])]);
  }
  return std::min(bound, ceiling_);
}

// The lowest floor whose words fit; 0 for none.
absl::StatusOr<uint64_t> SpillingLearner::ChooseFloor(const CancellationToken& cancel) {
  const uint64_t least = options_.learner.min_pair_count;
  if (words_.cells <= options_.max_word_cells) return least;
  std::vector<uint64_t> cells(kCountBins);
  CLM_RETURN_IF_ERROR(VisitFile(cancel, [&](const Word& word) {
    cells[BinOfCount(Bound(word))] += word.tokens.size() + 1;
    return absl::OkStatus();
  }));
  uint64_t above = 0;
  uint64_t floor = 0;
  for (size_t bin = kCountBins; bin > 0; --bin) {
    above += cells[bin - 1];
    if (above > options_.max_word_cells) break;
    if (cells[bin - 1] > 0) floor = LeastOfBin(bin - 1);
    if (LeastOfBin(bin - 1) <= least) return least;
  }
  return floor;
}

absl::Status SpillingLearner::LearnDownTo(uint64_t floor, const CancellationToken& cancel, const ProgressSink& progress,
                                          ThreadPool* threads) {
  CLM_ASSIGN_OR_RETURN(WordFile next, NewFile(/*has_pairs=*/false));
  MergeLearnerOptions options = options_.learner;
  options.min_pair_count = floor;
  MergeLearner learner(options, learned_);
  learner.Reserve(std::min(words_.cells, options_.max_word_cells), 0);
  CLM_RETURN_IF_ERROR(VisitFile(cancel, [&](const Word& word) {
    if (Bound(word) < floor) return Append(next, word.tokens, word.count);
    learner.AddTokens(word.tokens, word.count);
    return absl::OkStatus();
  }));
  const absl::Status status = learner.Learn(cancel, progress, threads);
  absl::Status written;
  if (status.ok()) {
    learner.CompactWords().VisitWords([&](std::span<const SymbolId> tokens, uint64_t count) {
      if (written.ok()) written = Append(next, tokens, count);
    });
  }
  learned_ = learner.TakeLearned();
  CLM_RETURN_IF_ERROR(status);
  CLM_RETURN_IF_ERROR(written);
  ceiling_ = floor - 1;
  return ReplaceFile(std::move(next));
}

bool SpillingLearner::IsRefused(TokenPairKey key) const {
  const std::string joined = learned_.tokens[LeftOf(key)] + learned_.tokens[RightOf(key)];
  return joined.size() > options_.learner.max_token_bytes ||
         std::find(learned_.tokens.begin(), learned_.tokens.end(), joined) != learned_.tokens.end();
}

// Adds the pairs that may count at least `floor`, with their counts.
absl::Status SpillingLearner::CountPairsFrom(uint64_t floor, const CancellationToken& cancel, PairIndex& pairs) const {
  return VisitFile(cancel, [&](const Word& word) {
    for (size_t i = 0; i + 1 < word.tokens.size(); ++i) {
      if (words_.buckets[BucketOf(word.tokens[i], word.tokens[i + 1])] < floor) continue;
      pairs.FindOrAdd(KeyOfPair(word.tokens[i], word.tokens[i + 1])).count += word.count;
    }
    if (!IsOver(pairs)) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat("the pairs of the highest count alone need more than ",
                                                     options_.learner.max_index_bytes, " bytes of memory"));
  });
}

absl::Status SpillingLearner::JoinBestAlone(const CancellationToken& cancel) {
  uint64_t highest = 0;
  for (const uint64_t bucket : words_.buckets) highest = std::max(highest, bucket);
  const uint64_t floor = std::max(options_.learner.min_pair_count, LeastOfBin(BinOfCount(std::min(highest, ceiling_))));
  if (!words_.has_pairs) CLM_RETURN_IF_ERROR(CountPairsFrom(floor, cancel, words_.pairs));
  uint64_t best_count = 0;
  TokenPairKey best = 0;
  words_.pairs.ForEach([&](TokenPairKey key, const PairIndex::Pair& pair) {
    const bool is_better = pair.count > best_count || (pair.count == best_count && key < best);
    if (pair.count < floor || !is_better || IsRefused(key)) return;
    best_count = pair.count;
    best = key;
  });
  if (!words_.has_pairs) words_.pairs.Clear();
  if (best_count == 0) {
    ceiling_ = floor - 1;
    return absl::OkStatus();
  }
  ++lone_joins_;
  ceiling_ = best_count;
  const BpeMerge merge{LeftOf(best), RightOf(best), static_cast<SymbolId>(learned_.tokens.size())};
  learned_.tokens.push_back(learned_.tokens[merge.left] + learned_.tokens[merge.right]);
  learned_.merges.push_back(merge);
  return JoinInFile(merge, cancel);
}

absl::Status SpillingLearner::JoinInFile(const BpeMerge& merge, const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(WordFile next, NewFile(/*has_pairs=*/true));
  std::vector<SymbolId> tokens;
  CLM_RETURN_IF_ERROR(VisitFile(cancel, [&](const Word& word) {
    tokens = word.tokens;
    JoinIn(tokens, merge);
    return Append(next, tokens, word.count);
  }));
  return ReplaceFile(std::move(next));
}

}  // namespace clm
