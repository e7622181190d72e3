#include "core/artifact/safetensors.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"

namespace clm {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxHeaderValues = 4'000'000;  // a tensor has about eight
constexpr size_t kAlignment = 8;
constexpr char kMetadataKey[] = "__metadata__";

struct TypeRow {
  TensorType type;
  const char* name;
  size_t bytes;
};

constexpr std::array<TypeRow, 15> kTypes = {{
    {TensorType::kBool, "BOOL", 1},
    {TensorType::kU8, "U8", 1},
    {TensorType::kI8, "I8", 1},
    {TensorType::kF8E5M2, "F8_E5M2", 1},
    {TensorType::kF8E4M3, "F8_E4M3", 1},
    {TensorType::kI16, "I16", 2},
    {TensorType::kU16, "U16", 2},
    {TensorType::kF16, "F16", 2},
    {TensorType::kBF16, "BF16", 2},
    {TensorType::kI32, "I32", 4},
    {TensorType::kU32, "U32", 4},
    {TensorType::kF32, "F32", 4},
    {TensorType::kF64, "F64", 8},
    {TensorType::kI64, "I64", 8},
    {TensorType::kU64, "U64", 8},
}};

const TypeRow& RowOf(TensorType type) {
  const auto it = std::find_if(kTypes.begin(), kTypes.end(), [type](const TypeRow& row) { return row.type == type; });
  CLM_CHECK(it != kTypes.end());
  return *it;
}

std::optional<TensorType> ParseType(absl::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (name == row.name) return row.type;
  }
  return std::nullopt;
}

// Bytes of a tensor; nothing when they do not fit 64 bits.
std::optional<uint64_t> BytesOf(TensorType type, std::span<const uint64_t> shape) {
  uint64_t bytes = TensorTypeBytes(type);
  for (const uint64_t dimension : shape) {
    if (__builtin_mul_overflow(bytes, dimension, &bytes)) return std::nullopt;
  }
  return bytes;
}

// A name as it may stand in a message.
std::string Shown(absl::string_view name) { return absl::StrCat("tensor \"", name.substr(0, 128), "\""); }

struct Extent {
  uint64_t begin = 0;
  uint64_t end = 0;
  size_t tensor = 0;  // index
};

absl::StatusOr<std::vector<uint64_t>> ReadUnsignedList(const Json& list, absl::string_view what) {
  if (!list.is_array()) return absl::DataLossError(absl::StrCat(what, " is not a list"));
  std::vector<uint64_t> values;
  for (const Json& value : list) {
    if (!value.is_number_unsigned()) {
      return absl::DataLossError(absl::StrCat(what, " holds something other than integers from 0 to 2^64-1"));
    }
    values.push_back(value.get<uint64_t>());
  }
  return values;
}

// Fills name, type and shape of `tensor`, and `extent`.
absl::Status ReadTensor(const std::string& name, const Json& entry, TensorView& tensor, Extent& extent) {
  const std::string shown = Shown(name);
  if (name.empty()) return absl::DataLossError("a tensor has an empty name");
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
      !entry.contains("data_offsets")) {
    return absl::DataLossError(absl::StrCat(shown, " does not have exactly dtype, shape and data_offsets"));
  }
  const Json& type_name = entry["dtype"];
  const std::optional<TensorType> type =
      type_name.is_string() ? ParseType(type_name.get_ref<const std::string&>()) : std::nullopt;
  if (!type.has_value()) return absl::DataLossError(absl::StrCat(shown, " has an unknown dtype"));
  CLM_ASSIGN_OR_RETURN(tensor.shape, ReadUnsignedList(entry["shape"], absl::StrCat("shape of ", shown)));
  CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> offsets,
                       ReadUnsignedList(entry["data_offsets"], absl::StrCat("data_offsets of ", shown)));
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    return absl::DataLossError(absl::StrCat("data_offsets of ", shown, " is not [begin, end]"));
  }
  const std::optional<uint64_t> bytes = BytesOf(*type, tensor.shape);
  if (!bytes.has_value() || *bytes != offsets[1] - offsets[0]) {
    return absl::DataLossError(absl::StrCat(shown, " spans ", offsets[1] - offsets[0], " bytes, its shape takes ",
                                            bytes.has_value() ? absl::StrCat(*bytes) : "more than 2^64-1"));
  }
  tensor.name = name;
  tensor.type = *type;
  extent.begin = offsets[0];
  extent.end = offsets[1];
  return absl::OkStatus();
}

// The extents, in order, must cover `size` bytes exactly once.
absl::Status CheckCover(std::vector<Extent>& extents, const std::vector<TensorView>& tensors, uint64_t size) {
  std::sort(extents.begin(), extents.end(), [](const Extent& left, const Extent& right) {
    return std::pair(left.begin, left.end) < std::pair(right.begin, right.end);
  });
  uint64_t covered = 0;
  for (const Extent& extent : extents) {
    if (extent.begin != covered) {
      return absl::DataLossError(absl::StrCat(
          Shown(tensors[extent.tensor].name), " begins at ", extent.begin,
          extent.begin < covered ? ", inside the one before, which ends at " : ", leaving a hole after ", covered));
    }
    covered = extent.end;
  }
  if (covered == size) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the tensors take ", covered, " bytes, the file has ", size));
}

absl::Status ReadMetadata(const Json& object, std::map<std::string, std::string>& metadata) {
  if (!object.is_object()) return absl::DataLossError("__metadata__ is not an object");
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) {
      return absl::DataLossError(absl::StrCat("__metadata__ \"", key.substr(0, 128), "\" is not a string"));
    }
    metadata[key] = value.get<std::string>();
  }
  return absl::OkStatus();
}

struct FileParts {
  absl::string_view header;
  absl::string_view data;
};

absl::StatusOr<FileParts> SplitFile(absl::string_view file) {
  ByteReader in(file);
  uint64_t length = 0;
  if (!in.ReadU64(length))
    return absl::DataLossError(absl::StrCat("the file has ", file.size(), " bytes, fewer than 8"));
  if (length > kMaxHeaderBytes) {
    return absl::DataLossError(absl::StrCat("header of ", length, " bytes, the limit is ", kMaxHeaderBytes));
  }
  FileParts parts;
  if (!in.ReadBytes(static_cast<size_t>(length), parts.header)) {
    return absl::DataLossError(
        absl::StrCat("header of ", length, " bytes, the file has ", in.remaining(), " after it"));
  }
  if (parts.header.empty() || parts.header[0] != '{') return absl::DataLossError("the header does not begin with '{'");
  parts.data = file.substr(in.position());
  return parts;
}

absl::Status CheckWritable(const TensorView& tensor) {
  if (tensor.name.empty() || tensor.name == kMetadataKey || !IsJsonText(tensor.name)) {
    return absl::InvalidArgumentError("a tensor's name is empty, __metadata__, or not UTF-8");
  }
  const std::optional<uint64_t> bytes = BytesOf(tensor.type, tensor.shape);
  if (bytes.has_value() && *bytes == tensor.bytes.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(Shown(tensor.name), " has ", tensor.bytes.size(),
                                                 " bytes, its shape takes ",
                                                 bytes.has_value() ? absl::StrCat(*bytes) : "more than 2^64-1"));
}

// Checked, in the order of the file.
absl::StatusOr<std::vector<const TensorView*>> OrderTensors(std::span<const TensorView> tensors) {
  std::vector<const TensorView*> ordered;
  for (const TensorView& tensor : tensors) {
    CLM_RETURN_IF_ERROR(CheckWritable(tensor));
    ordered.push_back(&tensor);
  }
  const auto by_name = [](const TensorView* left, const TensorView* right) { return left->name < right->name; };
  std::sort(ordered.begin(), ordered.end(), by_name);
  const auto twice =
      std::adjacent_find(ordered.begin(), ordered.end(),
                         [](const TensorView* left, const TensorView* right) { return left->name == right->name; });
  if (twice != ordered.end()) return absl::InvalidArgumentError(absl::StrCat(Shown((*twice)->name), " occurs twice"));
  std::stable_sort(ordered.begin(), ordered.end(), [](const TensorView* left, const TensorView* right) {
    return TensorTypeBytes(left->type) > TensorTypeBytes(right->type);
  });
  return ordered;
}

// Requires UTF-8.
std::string Quoted(const std::string& text) { return Json(text).dump(); }

// Composed by hand: nlohmann's ordered object looks up each new name one by one.
absl::StatusOr<std::string> MakeHeader(std::span<const TensorView* const> ordered,
                                       const std::map<std::string, std::string>& metadata) {
  std::vector<std::string> entries;
  if (!metadata.empty()) {
    std::vector<std::string> pairs;
    for (const auto& [key, value] : metadata) {
      if (!IsJsonText(key) || !IsJsonText(value)) return absl::InvalidArgumentError("metadata is not UTF-8");
      pairs.push_back(absl::StrCat(Quoted(key), ":", Quoted(value)));
    }
    entries.push_back(absl::StrCat("\"", kMetadataKey, "\":{", absl::StrJoin(pairs, ","), "}"));
  }
  uint64_t offset = 0;
  for (const TensorView* tensor : ordered) {
    const uint64_t end = offset + tensor->bytes.size();
    entries.push_back(absl::StrCat(Quoted(tensor->name), ":{\"dtype\":\"", TensorTypeName(tensor->type),
                                   "\",\"shape\":[", absl::StrJoin(tensor->shape, ","), "],\"data_offsets\":[", offset,
                                   ",", end, "]}"));
    offset = end;
  }
  std::string header = absl::StrCat("{", absl::StrJoin(entries, ","), "}");
  header.resize((header.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  if (header.size() <= kMaxHeaderBytes) return header;
  return absl::ResourceExhaustedError(
      absl::StrCat("header of ", header.size(), " bytes, the limit is ", kMaxHeaderBytes));
}

}  // namespace

absl::string_view TensorTypeName(TensorType type) { return RowOf(type).name; }

size_t TensorTypeBytes(TensorType type) { return RowOf(type).bytes; }

absl::StatusOr<SafetensorsFile> SafetensorsFile::Open(const FileSystem& files, const std::string& path) {
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> map, files.Map(path));
  absl::StatusOr<SafetensorsFile> file = Parse(map->data());
  if (!file.ok()) return absl::DataLossError(absl::StrCat(path, ": ", file.status().message()));
  file->map_ = std::move(map);
  return file;
}

absl::StatusOr<SafetensorsFile> SafetensorsFile::Parse(absl::string_view data) {
  CLM_ASSIGN_OR_RETURN(const FileParts parts, SplitFile(data));
  const absl::StatusOr<Json> root = ParseStrictJson(
      parts.header, JsonLimits{.max_bytes = kMaxHeaderBytes, .max_depth = 3, .max_values = kMaxHeaderValues});
  if (!root.ok()) return absl::DataLossError(absl::StrCat("header: ", root.status().message()));
  SafetensorsFile file;
  std::vector<Extent> extents;
  for (const auto& [name, entry] : root->items()) {  // sorted by name
    if (name == kMetadataKey) continue;
    extents.push_back({.tensor = file.tensors_.size()});
    CLM_RETURN_IF_ERROR(ReadTensor(name, entry, file.tensors_.emplace_back(), extents.back()));
  }
  if (root->contains(kMetadataKey)) CLM_RETURN_IF_ERROR(ReadMetadata((*root)[kMetadataKey], file.metadata_));
  CLM_RETURN_IF_ERROR(CheckCover(extents, file.tensors_, parts.data.size()));
  for (const Extent& extent : extents) {
    file.tensors_[extent.tensor].bytes =
        parts.data.substr(static_cast<size_t>(extent.begin), static_cast<size_t>(extent.end - extent.begin));
  }
  return file;
}

const TensorView* SafetensorsFile::Find(absl::string_view name) const {
  const auto it =
      std::lower_bound(tensors_.begin(), tensors_.end(), name,
                       [](const TensorView& tensor, absl::string_view wanted) { return tensor.name < wanted; });
  return it != tensors_.end() && it->name == name ? &*it : nullptr;
}

absl::Status WriteSafetensors(FileSystem& files, const std::string& path, std::span<const TensorView> tensors,
                              const std::map<std::string, std::string>& metadata) {
  CLM_ASSIGN_OR_RETURN(const std::vector<const TensorView*> ordered, OrderTensors(tensors));
  CLM_ASSIGN_OR_RETURN(const std::string header, MakeHeader(ordered, metadata));
  ByteWriter start;
  start.WriteU64(header.size());
  start.WriteBytes(header);
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Create(path));
  CLM_RETURN_IF_ERROR(file->Append(start.view()));
  for (const TensorView* tensor : ordered) CLM_RETURN_IF_ERROR(file->Append(tensor->bytes));
  CLM_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

}  // namespace clm
