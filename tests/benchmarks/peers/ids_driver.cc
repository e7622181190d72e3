// clm_ids_driver: ids of this project for documents, and tokenizer files from one form into another, for
// tests/benchmarks/peers/compare_ids.py.
//
//   clm_ids_driver encode  --tokenizer FILE [form] --documents FILE --out FILE
//   clm_ids_driver convert --tokenizer FILE [form] --to json|ranks --out FILE
//
// Both files of `encode` hold little-endian u32: how many documents, their lengths, then their bytes or ids. Every
// document is decoded again and compared, and a part of them is encoded in pieces, too.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_io.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/merges_file.h"
#include "core/tokenizer/rank_file.h"
#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/tokenizer_file.h"

namespace clm {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{4} << 30;
constexpr size_t kStreamEvery = 7;  // of so many documents one is encoded in pieces as well

struct Flags {
  std::string tokenizer;
  std::string merges;  // merges.txt, beside a vocab.json
  std::string encoding;
  std::string pattern;
  std::string boundary;
  SymbolId boundary_id = 0;
  bool ranks = false;
  bool special = false;
  std::string documents;
  std::string to;
  std::string out;
};

absl::StatusOr<TokenizerDefinition> Load(const Flags& flags) {
  CLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(PosixFileSystem(), flags.tokenizer, kMaxBytes));
  if (!flags.merges.empty()) {
    CLM_ASSIGN_OR_RETURN(const std::string merges, ReadFile(PosixFileSystem(), flags.merges, kMaxBytes));
    return ParseMergesFiles(text, merges);
  }
  if (!flags.ranks) return ParseTokenizerJson(text, {.boundary = flags.boundary});
  RankFileOptions options;
  options.encoding = flags.encoding;
  options.pattern = flags.pattern;
  if (options.encoding.empty()) options.specials = {{flags.boundary_id, "<|endoftext|>"}};
  return ParseRankFile(text, options);
}

// Numbers at the front of a file, as the files of `encode` have them.
absl::StatusOr<std::vector<absl::string_view>> SplitDocuments(absl::string_view file) {
  const auto word = [&file](size_t index) {
    uint32_t value = 0;
    std::memcpy(&value, file.data() + index * sizeof(value), sizeof(value));
    return size_t{value};
  };
  if (file.size() < sizeof(uint32_t) || file.size() / sizeof(uint32_t) < word(0) + 1) {
    return absl::InvalidArgumentError("the file of documents is cut off");
  }
  std::vector<absl::string_view> documents(word(0));
  absl::string_view bytes = file.substr((documents.size() + 1) * sizeof(uint32_t));
  for (size_t i = 0; i < documents.size(); ++i) {
    const size_t length = word(i + 1);
    if (length > bytes.size()) return absl::InvalidArgumentError("the file of documents is cut off");
    documents[i] = bytes.substr(0, length);
    bytes.remove_prefix(length);
  }
  return documents;
}

absl::Status CheckStream(const Tokenizer& tokenizer, const BpeEncoderOptions& options, absl::string_view document,
                         const std::vector<SymbolId>& want) {
  const std::unique_ptr<StreamingBpeEncoder> encoder = tokenizer.NewEncoder(options);
  std::vector<SymbolId> ids;
  for (size_t begin = 0; begin < document.size(); begin += 1 + begin % 97) {
    CLM_RETURN_IF_ERROR(encoder->Push(document.substr(begin, 1 + begin % 97), ids));
  }
  CLM_RETURN_IF_ERROR(encoder->Finish(ids));
  return ids == want ? absl::OkStatus() : absl::InternalError("ids in pieces differ from ids of the whole");
}

absl::Status Encode(const Flags& flags, TokenizerDefinition definition) {
  CLM_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::Create(std::move(definition.vocab), definition.pattern));
  CLM_ASSIGN_OR_RETURN(const std::string file, ReadFile(PosixFileSystem(), flags.documents, kMaxBytes));
  CLM_ASSIGN_OR_RETURN(const std::vector<absl::string_view> documents, SplitDocuments(file));
  BpeEncoderOptions options;
  options.allow_special = flags.special;
  const std::unique_ptr<StreamingBpeEncoder> encoder = tokenizer->NewEncoder(options);
  std::vector<uint32_t> words = {static_cast<uint32_t>(documents.size())};
  std::vector<SymbolId> all;
  for (size_t i = 0; i < documents.size(); ++i) {
    std::vector<SymbolId> ids;
    CLM_RETURN_IF_ERROR(encoder->Push(documents[i], ids));
    CLM_RETURN_IF_ERROR(encoder->Finish(ids));
    if (!flags.special) {
      CLM_ASSIGN_OR_RETURN(const std::string text, tokenizer->Decode(ids));
      if (text != documents[i]) return absl::InternalError(absl::StrCat("document ", i, " comes back changed"));
    }
    if (i % kStreamEvery == 0) CLM_RETURN_IF_ERROR(CheckStream(*tokenizer, options, documents[i], ids));
    words.push_back(static_cast<uint32_t>(ids.size()));
    all.insert(all.end(), ids.begin(), ids.end());
  }
  words.insert(words.end(), all.begin(), all.end());
  std::string out(words.size() * sizeof(uint32_t), '\0');
  std::memcpy(out.data(), words.data(), out.size());
  return WriteFileAtomically(PosixFileSystem(), flags.out, out);
}

absl::Status Convert(const Flags& flags, const TokenizerDefinition& definition) {
  for (const std::string& sentence : definition.not_applied) std::fprintf(stderr, "%s\n", sentence.c_str());
  absl::StatusOr<std::string> text =
      flags.to == "ranks" ? WriteRankFile(definition.vocab) : WriteTokenizerJson(definition.vocab, definition.pattern);
  if (!text.ok()) return text.status();
  return WriteFileAtomically(PosixFileSystem(), flags.out, *text);
}

int Main(int argc, char** argv) {
  CLI::App app("Ids of CLM's tokenizer, and tokenizer files in other forms.");
  app.require_subcommand(1);
  Flags flags;
  CLI::App* encode = app.add_subcommand("encode", "Ids of documents");
  CLI::App* convert = app.add_subcommand("convert", "A tokenizer file in another form");
  for (CLI::App* command : {encode, convert}) {
    command->add_option("--tokenizer", flags.tokenizer, "tokenizer.json, vocab.json or a rank file")->required();
    command->add_option("--merges", flags.merges, "merges.txt, where the tokenizer is a vocab.json");
    command->add_flag("--ranks", flags.ranks, "The tokenizer is a rank file");
    command->add_option("--encoding", flags.encoding, "Of a rank file: gpt2, cl100k_base, ...");
    command->add_option("--pattern", flags.pattern, "Of a rank file: split pattern");
    command->add_option("--boundary", flags.boundary, "Special token that ends documents");
    command->add_option("--boundary-id", flags.boundary_id, "Its id, of a rank file without --encoding");
    command->add_option("--out", flags.out, "File to write")->required();
  }
  encode->add_option("--documents", flags.documents, "File of documents")->required();
  encode->add_flag("--special", flags.special, "Text that spells a special token becomes its id");
  convert->add_option("--to", flags.to, "json or ranks")->required()->check(CLI::IsMember({"json", "ranks"}));
  CLI11_PARSE(app, argc, argv);
  absl::StatusOr<TokenizerDefinition> definition = Load(flags);
  const absl::Status status = !definition.ok()   ? definition.status()
                              : encode->parsed() ? Encode(flags, *std::move(definition))
                                                 : Convert(flags, *definition);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace clm

int main(int argc, char** argv) { return clm::Main(argc, argv); }
