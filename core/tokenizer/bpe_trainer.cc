#include "core/tokenizer/bpe_trainer.h"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/bpe_train_state.h"
#include "core/tokenizer/chunk_encoder.h"
#include "core/tokenizer/record_file.h"
#include "core/tokenizer/spilling_learner.h"

namespace clm {
namespace {

constexpr uint32_t kByteTokens = 256;
constexpr size_t kMaxTokenBytes = size_t{1} << 16;
constexpr uint64_t kMaxDistinctBytes = uint64_t{1} << 31;
constexpr uint64_t kMaxSpilledDistinctBytes = uint64_t{1} << 40;
constexpr uint64_t kMaxPairCount = uint64_t{1} << 62;
constexpr size_t kMaxChunkBytes = size_t{1} << 20;
constexpr uint64_t kMaxMemory = uint64_t{1} << 50;
// While learning with a limit on memory.
constexpr uint64_t kBytesPerEntry = 192;                        // of the vocabulary
constexpr uint64_t kSpillingBytes = uint64_t{20} << 20;         // SpillingLearner's buckets and files
constexpr uint64_t kRoundBytes = uint64_t{4} << 20;             // MergeLearner's buckets, per thread
constexpr uint64_t kMaxRoundThreads = 8;                        // as many as it uses
constexpr uint64_t kLeastThreadedMemory = uint64_t{128} << 20;  // with less, one thread

absl::Status OutsideRange(absl::string_view field, uint64_t value, uint64_t low, uint64_t high) {
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, "; range [", low, ", ", high, "]"));
}

absl::Status CheckRange(absl::string_view field, uint64_t value, uint64_t low, uint64_t high) {
  return value < low || value > high ? OutsideRange(field, value, low, high) : absl::OkStatus();
}

// Order, numbers and widths are free: files with counts are read by the code that wrote them, or refused.
constexpr absl::string_view kCountsMagic = "clm bpe counts 1";
constexpr char kPieceRecord = 'p';
constexpr char kChunkRecord = 'c';
constexpr char kEndRecord = 'e';

// What decides which counts can be added up.
std::string CountsIdentity(const BpeTrainerOptions& options) {
  return absl::StrCat("pattern ", options.pattern, ", chunks ",
                      options.superword_from == 0 ? 0 : options.superword_chunk_bytes);
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::Status BpeTrainerOptions::Validate() const {
  CLM_RETURN_IF_ERROR(CheckRange("number of special_tokens", special_tokens.size(), 1, kMaxBpeSpecials));
  const uint64_t specials = special_tokens.size();
  CLM_RETURN_IF_ERROR(CheckRange("vocab_size", vocab_size, kByteTokens + specials, kMaxBpeVocabSize));
  CLM_RETURN_IF_ERROR(CheckRange("min_pair_count", min_pair_count, 1, kMaxPairCount));
  CLM_RETURN_IF_ERROR(CheckRange("max_token_bytes", max_token_bytes, 2, kMaxTokenBytes));
  CLM_RETURN_IF_ERROR(CheckRange("max_distinct_bytes", max_distinct_bytes, 1,
                                 memory_limit_bytes == 0 ? kMaxDistinctBytes : kMaxSpilledDistinctBytes));
  if (memory_limit_bytes != 0) {
    CLM_RETURN_IF_ERROR(
        CheckRange("memory_limit_bytes", memory_limit_bytes, kLeastMemory + kBytesPerEntry * vocab_size, kMaxMemory));
    if (scratch_folder.empty()) return absl::InvalidArgumentError("memory_limit_bytes needs a scratch_folder");
  }
  if (superword_from != 0) {
    CLM_RETURN_IF_ERROR(CheckRange("superword_from", superword_from, kByteTokens, vocab_size - specials));
    CLM_RETURN_IF_ERROR(CheckRange("superword_chunk_bytes", superword_chunk_bytes, 2, kMaxChunkBytes));
  }
  return absl::OkStatus();
}

absl::StatusOr<BpeTrainer> BpeTrainer::Create(const BpeTrainerOptions& options, FileSystem& files) {
  CLM_RETURN_IF_ERROR(options.Validate());
  BpeTrainer trainer(options, files);
  CLM_ASSIGN_OR_RETURN(trainer.pretokenizer_, MakePretokenizer(options.pattern));
  if (options.memory_limit_bytes != 0) {
    trainer.scratch_ = std::make_unique<ScratchFolder>(files, options.scratch_folder);
  }
  return trainer;
}

TextCounter& BpeTrainer::Counter(size_t shard) {
  if (shard < shards_.size()) return shards_[shard];
  while (shards_.size() <= shard) {
    shards_.emplace_back(
        TextCounterOptions{.pretokenizer = pretokenizer_.get(),
                           .scratch = scratch_.get(),
                           .limit_bytes = SIZE_MAX,
                           .chunk_bytes = options_.superword_from == 0 ? 0 : options_.superword_chunk_bytes,
                           .max_distinct_bytes = options_.max_distinct_bytes});
  }
  if (scratch_ == nullptr) return shards_[shard];
  // Three quarters of the limit to the tables, in equal shares: the rest is for windows and sums.
  const uint64_t stores = shards_.size() * (options_.superword_from == 0 ? 1 : 2);
  for (TextCounter& counter : shards_) {
    counter.pieces().set_limit_bytes(options_.memory_limit_bytes / 4 * 3 / stores);
    counter.chunks().set_limit_bytes(options_.memory_limit_bytes / 4 * 3 / stores);
  }
  return shards_[shard];
}

CountStore& BpeTrainer::StoreOf(size_t shard, Unit unit) {
  TextCounter& counter = Counter(shard);
  return unit == Unit::kPiece ? counter.pieces() : counter.chunks();
}

absl::Status BpeTrainer::AddDocument(absl::string_view document, const CancellationToken& cancel) {
  return Counter(0).AddDocument(document, cancel);
}

absl::Status BpeTrainer::AddDocuments(std::span<const absl::string_view> documents, ThreadPool& threads,
                                      const CancellationToken& cancel) {
  const size_t shards = std::min(threads.threads(), std::max<size_t>(documents.size(), 1));
  Counter(shards - 1);
  std::atomic<size_t> next = 0;
  return threads.ParallelFor(shards, cancel, [&](size_t shard) {
    for (size_t d = next++; d < documents.size(); d = next++) {
      CLM_RETURN_IF_ERROR(shards_[shard].AddDocument(documents[d], cancel));
    }
    return absl::OkStatus();
  });
}

absl::Status BpeTrainer::Push(absl::string_view text, const CancellationToken& cancel) {
  return Counter(0).Push(text, cancel);
}

absl::Status BpeTrainer::Finish(const CancellationToken& cancel) { return Counter(0).Finish(cancel); }

uint64_t BpeTrainer::document_bytes() const {
  uint64_t bytes = loaded_bytes_;
  for (const TextCounter& shard : shards_) bytes += shard.document_bytes();
  return bytes;
}

absl::Status BpeTrainer::Absorb(const BpeTrainer& other) {
  if (CountsIdentity(other.options_) != CountsIdentity(options_)) {
    return absl::InvalidArgumentError(absl::StrCat("cannot add counts of ", CountsIdentity(other.options_),
                                                   " to those of ", CountsIdentity(options_)));
  }
  for (const TextCounter& shard : other.shards_) {
    CLM_RETURN_IF_ERROR(StoreOf(0, Unit::kPiece).Absorb(shard.pieces(), *other.files_));
    CLM_RETURN_IF_ERROR(StoreOf(0, Unit::kChunk).Absorb(shard.chunks(), *other.files_));
  }
  loaded_bytes_ += other.document_bytes();
  return Counter(0).CheckDistinct();
}

absl::Status BpeTrainer::MergeShards(ThreadPool* threads) {
  Counter(0);
  if (scratch_ != nullptr) {
    for (TextCounter& shard : shards_) {
      CLM_RETURN_IF_ERROR(shard.pieces().Spill());
      CLM_RETURN_IF_ERROR(shard.chunks().Spill());
    }
  }
  for (size_t step = 1; step < shards_.size(); step *= 2) {
    const auto merge = [&](size_t index) {
      const size_t to = 2 * step * index;
      if (to + step >= shards_.size()) return absl::OkStatus();
      CLM_RETURN_IF_ERROR(shards_[to].pieces().Take(shards_[to + step].pieces()));
      return shards_[to].chunks().Take(shards_[to + step].chunks());
    };
    const size_t merges = (shards_.size() + 2 * step - 1) / (2 * step);
    if (threads != nullptr) {
      CLM_RETURN_IF_ERROR(threads->ParallelFor(merges, {}, merge));
      continue;
    }
    for (size_t index = 0; index < merges; ++index) CLM_RETURN_IF_ERROR(merge(index));
  }
  return Counter(0).CheckDistinct();
}

absl::Status BpeTrainer::CheckClosed() const {
  if (shards_.empty() || !shards_[0].is_open()) return absl::OkStatus();
  return absl::FailedPreconditionError("a document was pushed and not finished");
}

absl::Status BpeTrainer::Save(const std::string& path, const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(CheckClosed());
  CLM_RETURN_IF_ERROR(MergeShards(nullptr));
  const std::string temporary = path + ".tmp";
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> out, RecordWriter::Create(*files_, temporary));
  CLM_RETURN_IF_ERROR(out->Append(absl::StrCat(kCountsMagic, CountsIdentity(options_))));
  std::string record;
  for (const Unit unit : {Unit::kPiece, Unit::kChunk}) {
    CLM_RETURN_IF_ERROR(StoreOf(0, unit).Visit(cancel, [&](absl::string_view piece, uint64_t count) {
      record.assign(1, unit == Unit::kPiece ? kPieceRecord : kChunkRecord);
      AppendVarint(count, record);
      record.append(piece.data(), piece.size());
      return out->Append(record);
    }));
  }
  record.assign(1, kEndRecord);
  AppendVarint(document_bytes(), record);
  CLM_RETURN_IF_ERROR(out->Append(record));
  CLM_RETURN_IF_ERROR(out->Finish(/*sync=*/true));
  CLM_RETURN_IF_ERROR(files_->Rename(temporary, path));
  return files_->SyncDirectory(FolderOf(path));
}

absl::StatusOr<BpeTrainer> BpeTrainer::Load(const BpeTrainerOptions& options, const std::string& path,
                                            FileSystem& files) {
  CLM_ASSIGN_OR_RETURN(BpeTrainer trainer, Create(options, files));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> in, RecordReader::Open(files, path));
  absl::string_view record;
  CLM_ASSIGN_OR_RETURN(bool is_there, in->Next(record));
  if (!is_there || !absl::ConsumePrefix(&record, kCountsMagic)) {
    return absl::DataLossError(absl::StrCat(path, ": no counts of a tokenizer's training"));
  }
  if (record != CountsIdentity(options)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": counts of ", record, "; the options say ", CountsIdentity(options)));
  }
  bool has_ended = false;
  while (true) {
    CLM_ASSIGN_OR_RETURN(is_there, in->Next(record));
    if (is_there == has_ended) return absl::DataLossError(absl::StrCat(path, ": does not end where it should"));
    if (!is_there) return trainer;
    has_ended = !record.empty() && record[0] == kEndRecord;
    CLM_RETURN_IF_ERROR(trainer.LoadRecord(record));
  }
}

absl::Status BpeTrainer::LoadRecord(absl::string_view record) {
  const char kind = record.empty() ? '\0' : record[0];
  absl::string_view piece = record.substr(std::min<size_t>(1, record.size()));
  uint64_t value = 0;
  const bool is_piece = kind == kPieceRecord || kind == kChunkRecord;
  if ((!is_piece && kind != kEndRecord) || !TakeVarint(piece, value) || is_piece == piece.empty()) {
    return absl::DataLossError("counts of a tokenizer's training have a bad record");
  }
  if (!is_piece) {
    loaded_bytes_ += value;
    return absl::OkStatus();
  }
  CLM_RETURN_IF_ERROR(StoreOf(0, kind == kPieceRecord ? Unit::kPiece : Unit::kChunk).Add(piece, value));
  return Counter(0).CheckDistinct();
}

absl::StatusOr<BpeVocab> BpeTrainer::Train(const CancellationToken& cancel, const ProgressSink& progress) {
  return Train(BpeTrainRun{.cancel = cancel, .progress = progress});
}

absl::StatusOr<BpeVocab> BpeTrainer::Train(const BpeTrainRun& run) {
  CLM_RETURN_IF_ERROR(CheckClosed());
  if (document_bytes() == 0) {
    return absl::InvalidArgumentError("no text to train a tokenizer on: no document has any bytes");
  }
  CLM_RETURN_IF_ERROR(MergeShards(run.threads));
  BpeLearned learned = BytesOnly();
  std::string identity;
  if (!run.state_path.empty()) {
    CLM_ASSIGN_OR_RETURN(identity, Identity(run.cancel));
    CLM_ASSIGN_OR_RETURN(learned, ReadTrainState(*files_, run.state_path, identity));
  }
  size_t inside = 0;
  CLM_RETURN_IF_ERROR(LearnStages(run, identity, learned, inside));
  return MakeVocab(std::move(learned), inside);
}

absl::StatusOr<std::string> BpeTrainer::Identity(const CancellationToken& cancel) {
  // Sums over all pieces, so that their order does not matter.
  uint64_t first = 0;
  uint64_t second = 0;
  for (const Unit unit : {Unit::kPiece, Unit::kChunk}) {
    CLM_RETURN_IF_ERROR(StoreOf(0, unit).Visit(cancel, [&](absl::string_view piece, uint64_t count) {
      const XXH128_hash_t hash = XXH3_128bits_withSeed(piece.data(), piece.size(), 2 * count + (unit == Unit::kChunk));
      first += hash.low64;
      second += hash.high64;
      return absl::OkStatus();
    }));
  }
  return absl::StrCat("counts ", absl::Hex(first), "-", absl::Hex(second), ", ", CountsIdentity(options_),
                      ", least count ", options_.min_pair_count, ", token bytes ", options_.max_token_bytes,
                      ", superwords from ", options_.superword_from);
}

absl::Status BpeTrainer::LearnStages(const BpeTrainRun& run, const std::string& identity, BpeLearned& learned,
                                     size_t& inside) {
  const MergeLearnerOptions all{
      .max_tokens = options_.vocab_size - static_cast<uint32_t>(options_.special_tokens.size()),
      .min_pair_count = options_.min_pair_count,
      .max_token_bytes = options_.max_token_bytes};
  MergeLearnerOptions first = all;
  if (options_.superword_from != 0) first.max_tokens = options_.superword_from;
  const auto save = [&](const BpeLearned& so_far) {
    return WriteTrainState(*files_, run.state_path, identity, so_far);
  };
  if (!run.state_path.empty()) {
    first.save_every = run.save_every;
    first.save = save;
  }
  if (learned.tokens.size() > first.max_tokens) {  // an earlier run wanted more
    learned.tokens.resize(first.max_tokens);
    learned.merges.resize(first.max_tokens - kByteTokens);
  }
  const absl::Status status = LearnStage(Unit::kPiece, first, run, learned);
  if (!run.state_path.empty()) CLM_RETURN_IF_ERROR(save(learned));
  CLM_RETURN_IF_ERROR(status);
  inside = learned.merges.size();
  return options_.superword_from == 0 ? absl::OkStatus() : LearnStage(Unit::kChunk, all, run, learned);
}

absl::Status BpeTrainer::LearnStage(Unit unit, const MergeLearnerOptions& options, const BpeTrainRun& run,
                                    BpeLearned& learned) {
  if (scratch_ != nullptr) return LearnSpilled(unit, options, run, learned);
  const PieceCounter& pieces = StoreOf(0, unit).in_memory();
  MergeLearner learner = learned.merges.empty() ? MergeLearner(options, pieces.distinct_bytes(), pieces.size())
                                                : MergeLearner(options, learned);
  if (learned.merges.empty() && unit == Unit::kPiece) {
    pieces.ForEach([&](absl::string_view piece, uint64_t count) { learner.Add(piece, count); });
  } else {
    CLM_RETURN_IF_ERROR(VisitWords(unit, learned, run.cancel, [&](std::span<const SymbolId> tokens, uint64_t count) {
      if (learner.HasRoomFor(tokens.size())) {
        learner.AddTokens(tokens, count);
        return absl::OkStatus();
      }
      return absl::ResourceExhaustedError("the different chunks have too many tokens to hold; set memory_limit_bytes");
    }));
  }
  absl::Status status = learner.Learn(run.cancel, run.progress, run.threads);
  learned = learner.TakeLearned();
  return status;
}

absl::Status BpeTrainer::LearnSpilled(Unit unit, const MergeLearnerOptions& options, const BpeTrainRun& run,
                                      BpeLearned& learned) {
  // Buckets and tokens, then half of the rest to words, a quarter to the index, a quarter to what each thread has of
  // it.
  const uint64_t limit = options_.memory_limit_bytes - kBytesPerEntry * options_.vocab_size;
  const bool has_threads = run.threads != nullptr && limit >= kLeastThreadedMemory;
  const uint64_t rest = limit - kSpillingBytes - kRoundBytes * (has_threads ? kMaxRoundThreads : 1);
  SpillingLearnerOptions spilling{.learner = options, .max_word_cells = rest / 2 / sizeof(uint32_t)};
  spilling.learner.max_index_bytes = rest / 4;
  SpillingLearner learner(spilling, learned, *scratch_);
  CLM_RETURN_IF_ERROR(VisitWords(unit, learned, run.cancel, [&](std::span<const SymbolId> tokens, uint64_t count) {
    return learner.AddTokens(tokens, count);
  }));
  absl::Status status = learner.Learn(run.cancel, run.progress, has_threads ? run.threads : nullptr);
  learned = learner.TakeLearned();
  return status;
}

absl::Status BpeTrainer::VisitWords(Unit unit, const BpeLearned& learned, const CancellationToken& cancel,
                                    const std::function<absl::Status(std::span<const SymbolId>, uint64_t)>& visit) {
  CLM_ASSIGN_OR_RETURN(const BpeVocab vocab, MakeVocab(learned, learned.merges.size()));
  ChunkEncoder encoder(vocab);
  std::vector<SymbolId> tokens;
  uint64_t bytes = 0;
  return StoreOf(0, unit).Visit(cancel, [&](absl::string_view text, uint64_t count) {
    tokens.clear();
    if (unit == Unit::kChunk) {
      CLM_RETURN_IF_ERROR(encoder.EncodeChunk(text, tokens));
      return visit(tokens, count);
    }
    bytes += text.size();
    CLM_RETURN_IF_ERROR(clm::CheckDistinct(bytes, options_.max_distinct_bytes));
    if (learned.merges.empty()) {
      for (const char byte : text) tokens.push_back(static_cast<uint8_t>(byte));
    } else {
      encoder.EncodePiece(text, tokens);
    }
    return visit(tokens, count);
  });
}

absl::StatusOr<BpeVocab> BpeTrainer::MakeVocab(BpeLearned learned, size_t inside) const {
  BpeVocabParts parts;
  parts.tokens = std::move(learned.tokens);
  const auto first_superword = learned.merges.begin() + static_cast<std::ptrdiff_t>(inside);
  parts.superwords = {.merges = {first_superword, learned.merges.end()},
                      .chunk_bytes = static_cast<uint32_t>(options_.superword_chunk_bytes)};
  learned.merges.resize(inside);
  parts.merges = std::move(learned.merges);
  parts.boundary = static_cast<SymbolId>(parts.tokens.size());
  for (const std::string& text : options_.special_tokens) {
    parts.specials.push_back({static_cast<SymbolId>(parts.tokens.size()), text});
    parts.tokens.emplace_back();
  }
  return BpeVocab::Create(std::move(parts));
}

}  // namespace clm
