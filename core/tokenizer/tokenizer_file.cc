#include "core/tokenizer/tokenizer_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"
#include "core/text/pretokenizer.h"
#include "core/tokenizer/gpt2_alphabet.h"
#include "core/tokenizer/json_fields.h"
#include "core/tokenizer/piece_merger.h"
#include "core/tokenizer/tokenizer_pipeline.h"

namespace clm {
namespace {

using tokenizer_json::Field;
using tokenizer_json::IsSet;
using tokenizer_json::IsTrue;
using tokenizer_json::Json;
using tokenizer_json::Quoted;
using tokenizer_json::Refused;

constexpr absl::string_view kDefaultBoundary = "<|endoftext|>";
// Vocabulary, merges as pairs (an array and two strings each), specials with eight values each, the rest.
constexpr JsonLimits kJsonLimits{kMaxTokenizerFileBytes, 16,
                                 kMaxBpeVocabSize + 3 * kMaxBpeMerges + 8 * kMaxBpeSpecials + 1000};

absl::Status CheckModel(const Json& model) {
  if (!model.is_object()) return Refused("model", "is missing");
  if (const Json& type = Field(model, "type"); !type.is_null() && type != "BPE") {
    return Refused("model.type", absl::StrCat("is ", Quoted(type.dump()), "; known: BPE"));
  }
  CLM_RETURN_IF_ERROR(
      tokenizer_json::CheckKeys(model, "model",
                                {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
                                 "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"}));
  if (const Json& dropout = Field(model, "dropout"); !dropout.is_null() && dropout != 0) {
    return Refused("model.dropout", "is set: ids would depend on chance");
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const Json& affix = Field(model, key);
    if (!affix.is_null() && affix != "")
      return Refused(absl::StrCat("model.", key), "is set: bytes would not come back");
  }
  if (IsSet(Field(model, "byte_fallback"))) {
    return Refused("model.byte_fallback", "is set: tokens like <0x0A> are not read");
  }
  if (!Field(model, "vocab").is_object()) return Refused("model.vocab", "is missing");
  if (!Field(model, "merges").is_array()) return Refused("model.merges", "is missing");
  return absl::OkStatus();
}

// ---- vocabulary ----

absl::StatusOr<SymbolId> ReadId(const Json& value, absl::string_view token) {
  if (!value.is_number_unsigned()) return Refused("id", absl::StrCat("of ", Quoted(token), " is not a number >= 0"));
  const auto id = value.get<uint64_t>();
  if (id >= kMaxBpeVocabSize) {
    return absl::ResourceExhaustedError(
        absl::StrCat("tokenizer.json: id of ", Quoted(token), " is ", id, "; limit ", kMaxBpeVocabSize - 1));
  }
  return static_cast<SymbolId>(id);
}

absl::StatusOr<BpeSpecial> ReadAddedToken(const Json& entry) {
  if (!entry.is_object() || !Field(entry, "content").is_string()) {
    return Refused("added_tokens", "has an entry without content");
  }
  BpeSpecial special;
  special.text = Field(entry, "content").get<std::string>();
  CLM_ASSIGN_OR_RETURN(special.id, ReadId(Field(entry, "id"), special.text));
  if (!IsTrue(Field(entry, "special"))) {
    return Refused("added_tokens",
                   absl::StrCat(Quoted(special.text), " is not special: such tokens are cut out of text before BPE"));
  }
  for (const char* flag : {"single_word", "lstrip", "rstrip"}) {
    if (IsSet(Field(entry, flag))) {
      return Refused("added_tokens", absl::StrCat(Quoted(special.text), " has ", flag, ", which is not supported"));
    }
  }
  return special;
}

absl::StatusOr<std::vector<BpeSpecial>> ReadAddedTokens(const Json& list) {
  std::vector<BpeSpecial> specials;
  if (list.is_null()) return specials;
  if (!list.is_array()) return Refused("added_tokens", "is not a list");
  if (list.size() > kMaxBpeSpecials) {
    return absl::ResourceExhaustedError(
        absl::StrCat("tokenizer.json: added_tokens has ", list.size(), " entries; limit ", kMaxBpeSpecials));
  }
  for (const Json& entry : list) {
    CLM_ASSIGN_OR_RETURN(BpeSpecial special, ReadAddedToken(entry));
    specials.push_back(std::move(special));
  }
  return specials;
}

// Spelling of each id of model.vocab, which must be 0 .. n-1.
absl::StatusOr<std::vector<const std::string*>> ReadVocab(const Json& vocab) {
  if (vocab.size() > kMaxBpeVocabSize) {
    return absl::ResourceExhaustedError(
        absl::StrCat("tokenizer.json: model.vocab has ", vocab.size(), " entries; limit ", kMaxBpeVocabSize));
  }
  std::vector<const std::string*> spellings(vocab.size(), nullptr);
  for (auto item = vocab.begin(); item != vocab.end(); ++item) {
    CLM_ASSIGN_OR_RETURN(const SymbolId id, ReadId(item.value(), item.key()));
    if (id >= spellings.size()) {
      return Refused("model.vocab", absl::StrCat("has a gap: ", Quoted(item.key()), " has id ", id, " of ",
                                                 spellings.size(), " entries"));
    }
    if (spellings[id] != nullptr) {
      return Refused("model.vocab",
                     absl::StrCat("gives id ", id, " to ", Quoted(*spellings[id]), " and ", Quoted(item.key())));
    }
    spellings[id] = &item.key();
  }
  return spellings;
}

// Specials are entries of the vocabulary or follow it without a gap.
absl::Status CheckSpecialIds(const Json& vocab, const std::vector<BpeSpecial>& specials) {
  auto next = static_cast<SymbolId>(vocab.size());
  for (const BpeSpecial& special : specials) {
    const auto found = vocab.find(special.text);
    const SymbolId expected = found != vocab.end() ? found->get<SymbolId>() : next++;
    if (special.id == expected) continue;
    return Refused("added_tokens", absl::StrCat(Quoted(special.text), " has id ", special.id, ", expected ", expected,
                                                found != vocab.end() ? " as in model.vocab" : ": ids have no gaps"));
  }
  return absl::OkStatus();
}

absl::Status ReadTokens(const Json& model, BpeVocabParts& parts) {
  CLM_ASSIGN_OR_RETURN(const std::vector<const std::string*> spellings, ReadVocab(model["vocab"]));
  CLM_RETURN_IF_ERROR(CheckSpecialIds(model["vocab"], parts.specials));
  absl::flat_hash_set<absl::string_view> special_texts;
  for (const BpeSpecial& special : parts.specials) special_texts.insert(special.text);
  std::array<bool, 256> seen{};
  for (const std::string* spelling : spellings) {
    parts.tokens.emplace_back();
    if (special_texts.contains(*spelling)) continue;
    std::optional<std::string> bytes = FromGpt2Alphabet(*spelling);
    if (!bytes.has_value()) {
      return Refused("model.vocab",
                     absl::StrCat("token ", Quoted(*spelling), " has a character that stands for no byte"));
    }
    if (bytes->size() == 1) seen[static_cast<uint8_t>((*bytes)[0])] = true;
    parts.tokens.back() = *std::move(bytes);
  }
  for (const BpeSpecial& special : parts.specials) {
    if (special.id >= spellings.size()) parts.tokens.emplace_back();
  }
  const auto missing = std::find(seen.begin(), seen.end(), false);
  if (missing == seen.end()) return absl::OkStatus();
  const bool has_unknown = !Field(model, "unk_token").is_null();
  return Refused("model.vocab", absl::StrFormat("has no token for byte 0x%02X, which %s", missing - seen.begin(),
                                                has_unknown ? "would become unk_token" : "would be lost"));
}

// ---- merges ----

absl::StatusOr<std::pair<std::string, std::string>> ReadMergePair(const Json& merge, size_t rank) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return std::pair(merge[0].get<std::string>(), merge[1].get<std::string>());
  }
  if (!merge.is_string())
    return Refused("model.merges", absl::StrCat("entry ", rank, " is neither \"a b\" nor [a, b]"));
  const auto& text = merge.get_ref<const std::string&>();
  const size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
    return Refused("model.merges", absl::StrCat("entry ", rank, " ", Quoted(text), " is not two tokens and a space"));
  }
  return std::pair(text.substr(0, space), text.substr(space + 1));
}

absl::StatusOr<std::vector<BpeMerge>> ReadMerges(const Json& model) {
  const Json& vocab = model["vocab"];
  const Json& list = model["merges"];
  if (list.size() > kMaxBpeMerges) {
    return absl::ResourceExhaustedError(
        absl::StrCat("tokenizer.json: model.merges has ", list.size(), " entries; limit ", kMaxBpeMerges));
  }
  std::vector<BpeMerge> merges;
  merges.reserve(list.size());
  for (size_t rank = 0; rank < list.size(); ++rank) {
    CLM_ASSIGN_OR_RETURN(const auto pair, ReadMergePair(list[rank], rank));
    const std::array<std::string, 3> names = {pair.first, pair.second, pair.first + pair.second};
    std::array<SymbolId, 3> ids{};
    for (size_t i = 0; i < names.size(); ++i) {
      const auto found = vocab.find(names[i]);
      if (found == vocab.end()) {
        return Refused("model.merges", absl::StrCat("entry ", rank, i < 2 ? " names " : " makes ", Quoted(names[i]),
                                                    ", which is not in model.vocab"));
      }
      ids[i] = found->get<SymbolId>();
    }
    merges.push_back({ids[0], ids[1], ids[2]});
  }
  return merges;
}

absl::StatusOr<SymbolId> FindBoundary(const std::vector<BpeSpecial>& specials, const std::string& wanted) {
  const absl::string_view text = wanted.empty() ? kDefaultBoundary : absl::string_view(wanted);
  for (const BpeSpecial& special : specials) {
    if (special.text == text) return special.id;
  }
  if (!wanted.empty())
    return Refused("added_tokens", absl::StrCat("has no ", Quoted(wanted), " to end documents with"));
  if (specials.size() == 1) return specials[0].id;
  return Refused("added_tokens", absl::StrCat("has ", specials.size(), " special tokens and none is ",
                                              Quoted(kDefaultBoundary), ": which one ends documents must be said"));
}

// ignore_merges emits a piece that is a token as that token. The same as BPE exactly when merging leads there anyway.
absl::Status CheckIgnoreMerges(const BpeVocab& vocab) {
  PieceMerger merger(vocab);
  std::vector<SymbolId> ids;
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    if (vocab.IsSpecial(id)) continue;
    ids.clear();
    merger.Merge(vocab.TokenBytes(id), ids);
    if (ids.size() != 1 || ids[0] != id) {
      return Refused("model.ignore_merges", absl::StrCat("is set and changes ids: merging does not lead to token ", id,
                                                         ", ", Quoted(vocab.TokenBytes(id))));
    }
  }
  return absl::OkStatus();
}

// ---- writing ----

std::string JsonString(absl::string_view text) { return Json(std::string(text)).dump(); }

absl::string_view ByteLevelJson(bool use_regex) {
  return use_regex ? R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})"
                   : R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false})";
}

void AppendAddedTokens(const BpeVocab& vocab, std::string& out) {
  const char* separator = "[";
  for (const BpeSpecial& special : vocab.specials()) {
    absl::StrAppend(&out, separator, R"({"id":)", special.id, R"(,"content":)", JsonString(special.text),
                    R"(,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true})");
    separator = ",";
  }
  out += "]";
}

absl::Status AppendVocab(const BpeVocab& vocab, std::string& out) {
  absl::flat_hash_set<std::string> spellings;
  const char* separator = "{";
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    const BpeSpecial* special = vocab.FindSpecial(id);
    std::string spelling = special != nullptr ? special->text : ToGpt2Alphabet(vocab.TokenBytes(id));
    absl::StrAppend(&out, separator, JsonString(spelling), ":", id);
    separator = ",";
    if (!spellings.insert(std::move(spelling)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("id ", id, " is spelt like another entry, a token like a special"));
    }
  }
  out += "}";
  return absl::OkStatus();
}

void AppendMerges(const BpeVocab& vocab, std::string& out) {
  const char* separator = "[";
  for (const BpeMerge& merge : vocab.merges()) {
    absl::StrAppend(&out, separator,
                    JsonString(absl::StrCat(ToGpt2Alphabet(vocab.TokenBytes(merge.left)), " ",
                                            ToGpt2Alphabet(vocab.TokenBytes(merge.right)))));
    separator = ",";
  }
  out += vocab.merges().empty() ? "[]" : "]";
}

}  // namespace

absl::StatusOr<TokenizerDefinition> ParseTokenizerJson(absl::string_view json, const TokenizerFileOptions& options) {
  CLM_ASSIGN_OR_RETURN(const Json file, ParseStrictJson(json, kJsonLimits));
  CLM_ASSIGN_OR_RETURN(std::string pattern, ReadTokenizerPipeline(file));
  const Json& model = Field(file, "model");
  CLM_RETURN_IF_ERROR(CheckModel(model));

  BpeVocabParts parts;
  CLM_ASSIGN_OR_RETURN(parts.specials, ReadAddedTokens(Field(file, "added_tokens")));
  CLM_RETURN_IF_ERROR(ReadTokens(model, parts));
  CLM_ASSIGN_OR_RETURN(parts.merges, ReadMerges(model));
  CLM_ASSIGN_OR_RETURN(parts.boundary, FindBoundary(parts.specials, options.boundary));
  CLM_ASSIGN_OR_RETURN(BpeVocab vocab, BpeVocab::Create(std::move(parts)));
  if (IsSet(Field(model, "ignore_merges"))) CLM_RETURN_IF_ERROR(CheckIgnoreMerges(vocab));
  return TokenizerDefinition{std::move(vocab), std::move(pattern)};
}

absl::StatusOr<std::string> WriteTokenizerJson(const BpeVocab& vocab, absl::string_view pattern) {
  CLM_RETURN_IF_ERROR(MakePretokenizer(pattern).status());
  std::string out = R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":)";
  AppendAddedTokens(vocab, out);
  absl::StrAppend(&out, R"(,"normalizer":null,"pre_tokenizer":)", ByteLevelJson(pattern == kGpt2Pattern),
                  R"(,"post_processor":null,"decoder":)", ByteLevelJson(true),
                  R"(,"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)",
                  R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":)");
  CLM_RETURN_IF_ERROR(AppendVocab(vocab, out));
  out += ",\"merges\":";
  AppendMerges(vocab, out);
  out += "}}\n";
  if (out.size() <= kMaxTokenizerFileBytes) return out;
  return absl::ResourceExhaustedError(
      absl::StrCat("tokenizer.json would have ", out.size(), " bytes; limit ", kMaxTokenizerFileBytes));
}

}  // namespace clm
