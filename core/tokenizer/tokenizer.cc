#include "core/tokenizer/tokenizer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr size_t kMaxIdleEncoders = 8;

}  // namespace

Tokenizer::Tokenizer(BpeVocab vocab, std::unique_ptr<const Pretokenizer> pretokenizer)
    : vocab_(std::move(vocab)),
      pretokenizer_(std::move(pretokenizer)),
      fingerprint_(
          Sha256Hex(absl::StrCat("clm tokenizer 1\n", ToHex(vocab_.fingerprint()), "\n", pretokenizer_->pattern()))) {}

Tokenizer::~Tokenizer() = default;

absl::StatusOr<std::shared_ptr<const Tokenizer>> Tokenizer::Create(BpeVocab vocab, absl::string_view pattern) {
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<const Pretokenizer> pretokenizer, MakePretokenizer(pattern));
  return std::shared_ptr<const Tokenizer>(new Tokenizer(std::move(vocab), std::move(pretokenizer)));
}

absl::StatusOr<std::shared_ptr<const Tokenizer>> Tokenizer::FromJson(absl::string_view json,
                                                                     const TokenizerFileOptions& options) {
  CLM_ASSIGN_OR_RETURN(TokenizerDefinition definition, ParseTokenizerJson(json, options));
  return Create(std::move(definition.vocab), definition.pattern);
}

absl::StatusOr<std::shared_ptr<const Tokenizer>> Tokenizer::FromFile(const FileSystem& files, const std::string& path,
                                                                     const TokenizerFileOptions& options) {
  CLM_ASSIGN_OR_RETURN(const std::string json, ReadFile(files, path, kMaxTokenizerFileBytes));
  absl::StatusOr<std::shared_ptr<const Tokenizer>> tokenizer = FromJson(json, options);
  if (tokenizer.ok()) return tokenizer;
  return absl::Status(tokenizer.status().code(), absl::StrCat(path, ": ", tokenizer.status().message()));
}

absl::StatusOr<std::string> Tokenizer::ToJson() const { return WriteTokenizerJson(vocab_, pretokenizer_->pattern()); }

absl::Status Tokenizer::ToFile(FileSystem& files, const std::string& path) const {
  CLM_ASSIGN_OR_RETURN(const std::string json, ToJson());
  return WriteFileAtomically(files, path, json);
}

absl::StatusOr<std::vector<SymbolId>> Tokenizer::Encode(absl::string_view document) const {
  std::vector<SymbolId> ids;
  std::unique_ptr<BpeEncoder> encoder = TakeEncoder();
  CLM_RETURN_IF_ERROR(encoder->Encode(document, ids));
  GiveEncoder(std::move(encoder));
  return ids;
}

absl::StatusOr<std::string> Tokenizer::Decode(std::span<const SymbolId> ids) const {
  std::string bytes;
  CLM_RETURN_IF_ERROR(BpeDecode(vocab_, ids, bytes));
  return bytes;
}

const EncodeTables& Tokenizer::encode_tables() const {
  absl::call_once(encode_tables_once_, [this] { encode_tables_ = std::make_unique<const EncodeTables>(vocab_); });
  return *encode_tables_;
}

std::unique_ptr<StreamingBpeEncoder> Tokenizer::NewEncoder(const BpeEncoderOptions& options) const {
  return std::make_unique<StreamingBpeEncoder>(encode_tables(), *pretokenizer_, options);
}

std::unique_ptr<StreamingBpeDecoder> Tokenizer::NewDecoder(const BpeDecoderOptions& options) const {
  return std::make_unique<StreamingBpeDecoder>(vocab_, options);
}

std::unique_ptr<BpeEncoder> Tokenizer::TakeEncoder() const {
  {
    absl::MutexLock lock(&mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<BpeEncoder> encoder = std::move(idle_.back());
      idle_.pop_back();
      return encoder;
    }
  }
  return std::make_unique<BpeEncoder>(encode_tables(), *pretokenizer_, BpeEncoderOptions{});
}

void Tokenizer::GiveEncoder(std::unique_ptr<BpeEncoder> encoder) const {
  absl::MutexLock lock(&mutex_);
  if (idle_.size() < kMaxIdleEncoders) idle_.push_back(std::move(encoder));
}

}  // namespace clm
