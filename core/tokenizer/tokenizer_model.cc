#include "core/tokenizer/tokenizer_model.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/text/utf8.h"
#include "core/tokenizer/gpt2_alphabet.h"
#include "core/tokenizer/json_fields.h"
#include "core/tokenizer/whole_pieces.h"

namespace clm {
namespace {

using tokenizer_json::Field;
using tokenizer_json::IsSet;
using tokenizer_json::Json;
using tokenizer_json::Quoted;
using tokenizer_json::ReadId;
using tokenizer_json::Refused;

constexpr absl::string_view kDefaultBoundary = "<|endoftext|>";

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
  if (!Field(model, "vocab").is_object()) return Refused("model.vocab", "is missing");
  if (!Field(model, "merges").is_array()) return Refused("model.merges", "is missing");
  return absl::OkStatus();
}

// ---- vocabulary ----

// OK when the values of model.vocab are ids, each once.
absl::Status CheckVocab(const Json& vocab) {
  if (vocab.size() > kMaxBpeVocabSize) {
    return tokenizer_json::TooMany("model.vocab", vocab.size(), "entries", kMaxBpeVocabSize);
  }
  absl::flat_hash_map<SymbolId, const std::string*> keys;
  keys.reserve(vocab.size());
  for (auto item = vocab.begin(); item != vocab.end(); ++item) {
    CLM_ASSIGN_OR_RETURN(const SymbolId id, ReadId(item.value(), item.key()));
    const auto [other, is_new] = keys.emplace(id, &item.key());
    if (!is_new) {
      return Refused("model.vocab",
                     absl::StrCat("gives id ", id, " to ", Quoted(*other->second), " and ", Quoted(item.key())));
    }
  }
  return absl::OkStatus();
}

size_t CountIds(const Json& vocab, const std::vector<AddedToken>& added) {
  size_t count = 0;
  for (const Json& id : vocab) count = std::max(count, size_t{id.get<SymbolId>()} + 1);
  for (const AddedToken& token : added) count = std::max(count, size_t{token.id} + 1);
  return count;
}

// Bytes of an entry of model.vocab; `cut` says that it is also cut out of text, as it is spelt.
absl::StatusOr<std::string> TokenBytesOf(const std::string& key, bool cut) {
  std::optional<std::string> bytes = FromGpt2Alphabet(key);
  if (cut && bytes.has_value() && *bytes != key) {
    return Refused("added_tokens",
                   absl::StrCat(Quoted(key), " is spelt like a token of model.vocab that stands for other bytes"));
  }
  if (cut) return key;
  if (bytes.has_value()) return *std::move(bytes);
  return Refused("model.vocab", absl::StrCat("token ", Quoted(key), " has a character that stands for no byte"));
}

absl::Status CheckBytes(const Json& model, const std::array<bool, 256>& seen) {
  const auto missing = std::find(seen.begin(), seen.end(), false);
  if (missing == seen.end()) return absl::OkStatus();
  const bool has_unknown = !Field(model, "unk_token").is_null();
  return Refused("model.vocab", absl::StrFormat("has no token for byte 0x%02X, which %s", missing - seen.begin(),
                                                has_unknown ? "would become unk_token" : "would be lost"));
}

// Fills tokens, specials and cut tokens.
absl::Status ReadTokens(const Json& model, const std::vector<AddedToken>& added, BpeVocabParts& parts) {
  const Json& vocab = model["vocab"];
  parts.tokens.resize(CountIds(vocab, added));
  std::vector<bool> used(parts.tokens.size());
  absl::flat_hash_map<absl::string_view, bool> is_special;  // added tokens by spelling
  for (const AddedToken& token : added) {
    is_special.emplace(token.text, token.special);
    used[token.id] = true;
    if (token.special) {
      parts.specials.push_back({token.id, token.text});
    } else {
      parts.tokens[token.id] = token.text;
      parts.cut_tokens.push_back(token.id);
    }
  }
  std::array<bool, 256> seen{};
  for (auto item = vocab.begin(); item != vocab.end(); ++item) {
    const auto id = item.value().get<SymbolId>();
    const auto found = is_special.find(item.key());
    if (used[id] && found == is_special.end()) {
      return Refused("added_tokens", absl::StrCat("uses id ", id, " of ", Quoted(item.key()), " in model.vocab"));
    }
    used[id] = true;
    if (found != is_special.end() && found->second) continue;
    CLM_ASSIGN_OR_RETURN(parts.tokens[id], TokenBytesOf(item.key(), found != is_special.end()));
    if (parts.tokens[id].size() == 1) seen[static_cast<uint8_t>(parts.tokens[id][0])] = true;
  }
  CLM_RETURN_IF_ERROR(CheckBytes(model, seen));
  const auto unused = static_cast<size_t>(std::count(used.begin(), used.end(), false));
  if (unused > kMaxBpeSpecials) return tokenizer_json::TooMany("model.vocab", unused, "unused ids", kMaxBpeSpecials);
  for (SymbolId id = 0; id < used.size(); ++id) {
    if (!used[id]) parts.specials.push_back({id, ""});
  }
  return absl::OkStatus();
}

// ---- merges ----

// `field`: the list that the merge is in.
absl::StatusOr<std::pair<std::string, std::string>> ReadMergePair(const Json& merge, absl::string_view field,
                                                                  size_t rank) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return std::pair(merge[0].get<std::string>(), merge[1].get<std::string>());
  }
  if (!merge.is_string()) return Refused(field, absl::StrCat("entry ", rank, " is neither \"a b\" nor [a, b]"));
  const auto& text = merge.get_ref<const std::string&>();
  const size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
    return Refused(field, absl::StrCat("entry ", rank, " ", Quoted(text), " is not two tokens and a space"));
  }
  return std::pair(text.substr(0, space), text.substr(space + 1));
}

absl::StatusOr<std::vector<BpeMerge>> ReadMerges(const Json& vocab, absl::string_view field, const Json& list) {
  if (list.size() > kMaxBpeMerges) return tokenizer_json::TooMany(field, list.size(), "entries", kMaxBpeMerges);
  std::vector<BpeMerge> merges;
  merges.reserve(list.size());
  for (size_t rank = 0; rank < list.size(); ++rank) {
    CLM_ASSIGN_OR_RETURN(const auto pair, ReadMergePair(list[rank], field, rank));
    const std::array<std::string, 3> names = {pair.first, pair.second, pair.first + pair.second};
    std::array<SymbolId, 3> ids{};
    for (size_t i = 0; i < names.size(); ++i) {
      const auto found = vocab.find(names[i]);
      if (found == vocab.end()) {
        return Refused(field, absl::StrCat("entry ", rank, i < 2 ? " names " : " makes ", Quoted(names[i]),
                                           ", which is not in model.vocab"));
      }
      ids[i] = found->get<SymbolId>();
    }
    merges.push_back({ids[0], ids[1], ids[2]});
  }
  return merges;
}

absl::StatusOr<BpeSuperwords> ReadSuperwords(const Json& file) {
  BpeSuperwords superwords;
  const auto found = file.find("superwords");
  if (found == file.end()) return superwords;
  if (!found->is_object()) return Refused("superwords", "is not an object");
  CLM_RETURN_IF_ERROR(tokenizer_json::CheckKeys(*found, "superwords", {"chunk_bytes", "merges"}));
  const Json& chunk_bytes = Field(*found, "chunk_bytes");
  if (!chunk_bytes.is_number_unsigned() || chunk_bytes.get<uint64_t>() > kMaxSuperwordChunkBytes) {
    return Refused("superwords.chunk_bytes",
                   absl::StrCat("is ", Quoted(chunk_bytes.dump()), "; range [2, ", kMaxSuperwordChunkBytes, "]"));
  }
  superwords.chunk_bytes = chunk_bytes.get<uint32_t>();
  const Json& merges = Field(*found, "merges");
  if (!merges.is_array() || merges.empty()) return Refused("superwords.merges", "is missing or empty");
  CLM_ASSIGN_OR_RETURN(superwords.merges, ReadMerges(file["model"]["vocab"], "superwords.merges", merges));
  return superwords;
}

absl::StatusOr<SymbolId> FindBoundary(const std::vector<AddedToken>& added, const std::string& wanted) {
  const absl::string_view text = wanted.empty() ? kDefaultBoundary : absl::string_view(wanted);
  size_t specials = 0;
  SymbolId last = 0;
  for (const AddedToken& token : added) {
    if (!token.special) continue;
    if (token.text == text) return token.id;
    ++specials;
    last = token.id;
  }
  if (!wanted.empty())
    return Refused("added_tokens", absl::StrCat("has no special ", Quoted(wanted), " to end documents with"));
  if (specials == 1) return last;
  return Refused("added_tokens", absl::StrCat("has ", specials, " special tokens and none is ",
                                              Quoted(kDefaultBoundary), ": which one ends documents must be said"));
}

// ---- writing ----

// Whether bytes or merges lead to the token.
std::vector<bool> TokensThatMerge(const BpeVocab& vocab) {
  std::vector<bool> merges(vocab.size());
  for (int byte = 0; byte < 256; ++byte) merges[vocab.ByteId(static_cast<uint8_t>(byte))] = true;
  for (const BpeMerge& merge : vocab.merges()) merges[merge.left] = merges[merge.right] = merges[merge.result] = true;
  return merges;
}

absl::Status CannotSay(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("tokenizer.json cannot say ", what));
}

// The key of a cut token: as it is spelt where that cannot be taken for another token, none otherwise.
absl::StatusOr<std::string> KeyOfCutToken(const BpeVocab& vocab, SymbolId id, bool merges,
                                          const absl::flat_hash_set<std::string>& taken) {
  std::string text(vocab.TokenBytes(id));
  if (ValidUtf8Prefix(text) != text.size()) {
    return CannotSay(absl::StrCat("the token ", id, " that is cut out of text: ", Quoted(text), " is not UTF-8"));
  }
  if (taken.contains(text)) {
    return CannotSay(absl::StrCat("that the token ", id, " is cut out of text: another is spelt ", Quoted(text)));
  }
  const std::optional<std::string> bytes = FromGpt2Alphabet(text);
  if (merges && bytes != text) {
    return CannotSay(absl::StrCat("that the token ", id, ", ", Quoted(text), ", is cut out of text and merged too"));
  }
  return bytes.has_value() && *bytes != text ? std::string() : text;
}

absl::Status CheckWholePieces(const BpeVocab& vocab) {
  if (vocab.equal_ranks()) return CannotSay("that merges share a rank");
  if (vocab.whole_pieces().empty()) return absl::OkStatus();
  const auto is_cut = [&vocab](SymbolId id) {
    return std::binary_search(vocab.cut_tokens().begin(), vocab.cut_tokens().end(), id);
  };
  std::vector<SymbolId> missed = TokensThatMergingMisses(vocab);
  std::erase_if(missed, is_cut);
  if (std::equal(missed.begin(), missed.end(), vocab.whole_pieces().begin(), vocab.whole_pieces().end())) {
    return absl::OkStatus();
  }
  return CannotSay("that only some of the tokens that merging does not lead to are whole pieces");
}

std::string JsonString(absl::string_view text) { return Json(std::string(text)).dump(); }

void AppendMerges(const BpeVocab& vocab, std::span<const BpeMerge> merges, std::string& out) {
  const char* separator = "[";
  for (const BpeMerge& merge : merges) {
    absl::StrAppend(&out, separator,
                    JsonString(absl::StrCat(ToGpt2Alphabet(vocab.TokenBytes(merge.left)), " ",
                                            ToGpt2Alphabet(vocab.TokenBytes(merge.right)))));
    separator = ",";
  }
  out += merges.empty() ? "[]" : "]";
}

}  // namespace

absl::StatusOr<BpeVocab> ReadTokenizerModel(const Json& file, const std::string& boundary) {
  const Json& model = Field(file, "model");
  CLM_RETURN_IF_ERROR(CheckModel(model));
  CLM_RETURN_IF_ERROR(CheckVocab(model["vocab"]));
  CLM_ASSIGN_OR_RETURN(const std::vector<AddedToken> added,
                       ReadAddedTokens(Field(file, "added_tokens"), model["vocab"]));
  BpeVocabParts parts;
  CLM_RETURN_IF_ERROR(ReadTokens(model, added, parts));
  CLM_ASSIGN_OR_RETURN(parts.merges, ReadMerges(model["vocab"], "model.merges", model["merges"]));
  CLM_ASSIGN_OR_RETURN(parts.superwords, ReadSuperwords(file));
  CLM_ASSIGN_OR_RETURN(parts.boundary, FindBoundary(added, boundary));
  if (!IsSet(Field(model, "ignore_merges"))) return BpeVocab::Create(std::move(parts));
  std::vector<SymbolId> cut_tokens = parts.cut_tokens;  // never pieces
  std::sort(cut_tokens.begin(), cut_tokens.end());
  return CreateWithWholePieces(std::move(parts), cut_tokens);
}

absl::StatusOr<TokenizerSpelling> SpellTokenizer(const BpeVocab& vocab) {
  CLM_RETURN_IF_ERROR(CheckWholePieces(vocab));
  TokenizerSpelling spelling;
  spelling.keys.resize(vocab.size());
  absl::flat_hash_set<std::string> taken;
  const auto is_cut = [&vocab](SymbolId id) {
    return std::binary_search(vocab.cut_tokens().begin(), vocab.cut_tokens().end(), id);
  };
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    const BpeSpecial* special = vocab.FindSpecial(id);
    if (is_cut(id) || (special != nullptr && special->text.empty())) continue;
    spelling.keys[id] = special != nullptr ? special->text : ToGpt2Alphabet(vocab.TokenBytes(id));
    if (!taken.insert(spelling.keys[id]).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("id ", id, " is spelt like another entry, a token like a special"));
    }
    if (special != nullptr) spelling.added.push_back({id, special->text, true, false, true});
  }
  const std::vector<bool> merges = TokensThatMerge(vocab);
  for (const SymbolId id : vocab.cut_tokens()) {
    CLM_ASSIGN_OR_RETURN(spelling.keys[id], KeyOfCutToken(vocab, id, merges[id], taken));
    const bool in_vocab = !spelling.keys[id].empty();
    if (in_vocab) taken.insert(spelling.keys[id]);
    spelling.added.push_back({id, std::string(vocab.TokenBytes(id)), false, false, in_vocab});
  }
  std::sort(spelling.added.begin(), spelling.added.end(),
            [](const AddedToken& left, const AddedToken& right) { return left.id < right.id; });
  CLM_RETURN_IF_ERROR(CheckNumbering(spelling.added, taken.size()));
  return spelling;
}

void AppendAddedTokens(const TokenizerSpelling& spelling, std::string& out) {
  const char* separator = "[";
  for (const AddedToken& token : spelling.added) {
    absl::StrAppend(&out, separator, R"({"id":)", token.id, R"(,"content":)", JsonString(token.text),
                    R"(,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":)",
                    token.special ? "true}" : "false}");
    separator = ",";
  }
  out += "]";  // there is a special at least
}

void AppendModel(const BpeVocab& vocab, const TokenizerSpelling& spelling, std::string& out) {
  absl::StrAppend(&out, R"({"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)",
                  R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":)",
                  vocab.whole_pieces().empty() ? "false" : "true", R"(,"vocab":)");
  const char* separator = "{";
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    if (spelling.keys[id].empty()) continue;
    absl::StrAppend(&out, separator, JsonString(spelling.keys[id]), ":", id);
    separator = ",";
  }
  out += "},\"merges\":";
  AppendMerges(vocab, vocab.merges(), out);
  out += "}";
}

void AppendSuperwords(const BpeVocab& vocab, std::string& out) {
  absl::StrAppend(&out, R"({"chunk_bytes":)", vocab.superwords().chunk_bytes, R"(,"merges":)");
  AppendMerges(vocab, vocab.superwords().merges, out);
  out += "}";
}

}  // namespace clm
