#include "server/config/config.h"

#include <array>
#include <cstdlib>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/file_io.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "server/config/version.h"

namespace clm {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;

// Inclusive ranges of the numeric fields.
struct Range {
  const char* field;
  uint64_t low;
  uint64_t high;
};
constexpr std::array<Range, 11> kRanges = {{
    {"max_message_bytes", 65536, 268435456},
    {"max_upload_bytes", 1, kNoLimit},
    {"max_queued_jobs", 1, 100000},
    {"max_running_jobs", 1, 64},
    {"max_concurrent_calls", 1, 1024},
    {"default_deadline_seconds", 0, 31536000},
    {"idle_timeout_seconds", 1, 86400},
    {"drain_seconds", 0, 3600},
    {"threads", 0, 4096},
    {"model_memory_bytes", 1, kNoLimit},
    {"max_job_resumes", 0, 100},
}};

// What --help says about each field; its range and default are added.
struct Help {
  const char* field;
  const char* text;
};
constexpr std::array<Help, 19> kHelp = {{
    {"data_dir", "Folder of journal and artifacts, of one server at a time"},
    {"listen_address", "Where calls are served, host:port or [IPv6]:port; port 0 takes a free one"},
    {"metrics_address", "Where Prometheus finds /metrics; empty for nowhere"},
    {"allowed_roots", "Folders that jobs, Encode and Decode may read files from, separated by commas"},
    {"writable_roots", "Folders that Encode and Decode may write files to, separated by commas"},
    {"max_message_bytes", "Largest message in either direction"},
    {"max_upload_bytes", "Largest upload"},
    {"max_queued_jobs", "Jobs that may wait"},
    {"max_running_jobs", "Jobs that run at the same time"},
    {"max_concurrent_calls", "Calls of each streaming kind at the same time"},
    {"default_deadline_seconds", "Deadline of calls that have none; 0 for none"},
    {"idle_timeout_seconds", "A stream whose peer stands still for this long is cut"},
    {"drain_seconds", "Time that running calls have to end after SIGTERM"},
    {"threads", "Threads for compression; 0 for all that the process may use"},
    {"log_level", "Lines below it are dropped: debug, info, warning or error"},
    {"worker_path", "Path of clm_worker; empty for the one beside clm_server"},
    {"model_memory_bytes", "Memory for loaded models"},
    {"device", "Where Generate computes: auto, cpu or cuda"},
    {"max_job_resumes", "Times a job is started again after its worker died"},
}};

std::vector<const FieldDescriptor*> Fields() {
  const auto& descriptor = *v1::ServerConfig::descriptor();
  std::vector<const FieldDescriptor*> fields;
  fields.reserve(static_cast<size_t>(descriptor.field_count()));
  for (int i = 0; i < descriptor.field_count(); ++i) fields.push_back(descriptor.field(i));
  return fields;
}

uint64_t NumberOf(const v1::ServerConfig& config, const FieldDescriptor& field) {
  const auto& reflection = *v1::ServerConfig::GetReflection();
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ? reflection.GetUInt32(config, &field)
                                                             : reflection.GetUInt64(config, &field);
}

bool IsNumber(const FieldDescriptor& field) { return field.cpp_type() != FieldDescriptor::CPPTYPE_STRING; }

absl::Status OutOfRange(const std::string& field, absl::string_view value, absl::string_view range) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", value, " is not ", range));
}

absl::Status CheckNumber(const v1::ServerConfig& config, const FieldDescriptor& field) {
  const uint64_t value = NumberOf(config, field);
  for (const Range& range : kRanges) {
    if (field.name() != range.field || (value >= range.low && value <= range.high)) continue;
    const std::string high = range.high == kNoLimit ? ".." : absl::StrCat(range.high);
    return OutOfRange(field.name(), absl::StrCat(value), absl::StrCat("in [", range.low, ", ", high, "]"));
  }
  return absl::OkStatus();
}

// "host:port" with a port of 0 to 65535. A host with colons, an IPv6 address, stands in brackets: "::1:50" would be
// read as an address without a port, or as another one.
bool IsAddress(absl::string_view address) {
  const size_t colon = address.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port) || port > 65535) {
    return false;
  }
  absl::string_view host = address.substr(0, colon);
  const bool in_brackets = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  return !host.empty() && host.find_first_of("[]") == absl::string_view::npos &&
         (in_brackets || host.find(':') == absl::string_view::npos);
}

absl::Status CheckRoots(const std::string& field, const google::protobuf::RepeatedPtrField<std::string>& roots) {
  for (const std::string& root : roots) {
    if (root.empty() || root.front() != '/') return OutOfRange(field, root, "an absolute path");
  }
  return absl::OkStatus();
}

absl::Status CheckTexts(const v1::ServerConfig& config) {
  LogLevel level;
  if (config.data_dir().empty()) return OutOfRange("data_dir", "\"\"", "a folder");
  if (!IsAddress(config.listen_address())) {
    return OutOfRange("listen_address", config.listen_address(), "host:port or [IPv6]:port");
  }
  if (!config.metrics_address().empty() && !IsAddress(config.metrics_address())) {
    return OutOfRange("metrics_address", config.metrics_address(), "host:port, [IPv6]:port or empty");
  }
  CLM_RETURN_IF_ERROR(CheckRoots("allowed_roots", config.allowed_roots()));
  CLM_RETURN_IF_ERROR(CheckRoots("writable_roots", config.writable_roots()));
  if (!ParseLogLevel(config.log_level(), level)) {
    return OutOfRange("log_level", config.log_level(), "debug, info, warning or error");
  }
  if (config.device() != "auto" && config.device() != "cpu" && config.device() != "cuda") {
    return OutOfRange("device", config.device(), "auto, cpu or cuda");
  }
  return absl::OkStatus();
}

// Gives `field` the value that `text` means.
absl::Status SetField(v1::ServerConfig& config, const FieldDescriptor& field, const std::string& text,
                      const std::string& source) {
  const auto& reflection = *v1::ServerConfig::GetReflection();
  if (field.is_repeated()) {
    reflection.ClearField(&config, &field);
    for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
      reflection.AddString(&config, &field, std::string(part));
    }
    return absl::OkStatus();
  }
  if (!IsNumber(field)) {
    reflection.SetString(&config, &field, text);
    return absl::OkStatus();
  }
  uint64_t number = 0;
  uint32_t small = 0;
  const bool is_small = field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32;
  if (is_small ? !absl::SimpleAtoi(text, &small) : !absl::SimpleAtoi(text, &number)) {
    return absl::InvalidArgumentError(absl::StrCat(source, ": ", field.name(), ": ", text, " is not a whole number"));
  }
  if (is_small) {
    reflection.SetUInt32(&config, &field, small);
  } else {
    reflection.SetUInt64(&config, &field, number);
  }
  return absl::OkStatus();
}

// Keeps the first complaint of a parser of text format.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat("line ", line + 1, " column ", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status ReadConfigFile(const std::string& path, CommandLine& line) {
  CLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(PosixFileSystem(), path, kMaxConfigBytes));
  v1::ServerConfig from_file;
  FirstError error;
  TextFormat::ParseInfoTree places;  // tells a field that is set to its zero from one that is not there
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&places);
  if (!parser.ParseFromString(text, &from_file)) {
    return absl::InvalidArgumentError(absl::StrCat("file ", path, ": ", error.text()));
  }
  const auto& reflection = *v1::ServerConfig::GetReflection();
  for (const FieldDescriptor* field : Fields()) {
    if (places.GetLocation(field, field->is_repeated() ? 0 : -1).line < 0) continue;
    std::vector<std::string> values;
    if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(from_file, field); ++i) {
        values.push_back(reflection.GetRepeatedString(from_file, field, i));
      }
    } else {
      values.push_back(IsNumber(*field) ? absl::StrCat(NumberOf(from_file, *field))
                                        : reflection.GetString(from_file, field));
    }
    const std::string value = absl::StrJoin(values, ",");
    const std::string source = absl::StrCat("file ", path);
    CLM_RETURN_IF_ERROR(SetField(line.config, *field, value, source));
    line.sources[field->name()] = source;
  }
  return absl::OkStatus();
}

absl::Status ReadEnvironment(const Environment& environment, CommandLine& line) {
  for (const FieldDescriptor* field : Fields()) {
    const std::string variable = absl::StrCat("CLM_", absl::AsciiStrToUpper(field->name()));
    const std::optional<std::string> value = environment(variable);
    if (!value.has_value()) continue;
    const std::string source = absl::StrCat("environment ", variable);
    CLM_RETURN_IF_ERROR(SetField(line.config, *field, *value, source));
    line.sources[field->name()] = source;
  }
  return absl::OkStatus();
}

// What was said on the command line.
struct Flags {
  std::string config_file;
  bool check = false;
  bool print = false;
  bool version = false;
  std::map<std::string, std::vector<std::string>> fields;
  std::set<std::string> emptied;  // "--field=": CLI11 would take the next argument for the value
};

// The arguments but those of the form "--field=", which go to flags.emptied.
std::vector<const char*> TakeEmptied(int argc, const char* const* argv, Flags& flags) {
  std::vector<const char*> rest;
  for (int i = 0; i < argc; ++i) {
    absl::string_view argument = argv[i];
    const bool empty = absl::ConsumePrefix(&argument, "--") && absl::ConsumeSuffix(&argument, "=");
    if (empty && v1::ServerConfig::descriptor()->FindFieldByName(std::string(argument)) != nullptr) {
      flags.emptied.insert(std::string(argument));
    } else {
      rest.push_back(argv[i]);
    }
  }
  return rest;
}

// "Jobs that may wait. Range [1, 100000]. Default 64. Variable CLM_MAX_QUEUED_JOBS."
std::string HelpOf(const FieldDescriptor& field) {
  static const v1::ServerConfig kDefaults = DefaultConfig();
  std::string text;
  for (const Help& help : kHelp) {
    if (field.name() == help.field) absl::StrAppend(&text, help.text, ". ");
  }
  for (const Range& range : kRanges) {
    if (field.name() != range.field) continue;
    absl::StrAppend(&text, "Range [", range.low, ", ", range.high == kNoLimit ? ".." : absl::StrCat(range.high), "]. ");
  }
  std::string value;
  if (!field.is_repeated()) TextFormat::PrintFieldValueToString(kDefaults, &field, -1, &value);
  absl::StrAppend(&text, "Default ", value.empty() || value == "\"\"" ? "none" : value, ". Variable CLM_",
                  absl::AsciiStrToUpper(field.name()), ".");
  return text;
}

void DeclareFlags(CLI::App& app, Flags& flags) {
  app.add_option("--config", flags.config_file, "Text file with a clm.v1.ServerConfig");
  app.add_flag("--check_config", flags.check, "Check the configuration and end");
  app.add_flag("--print_config", flags.print, "Print every value with its source and end");
  app.add_flag("--version", flags.version, "Print versions and end");
  for (const FieldDescriptor* field : Fields()) {
    CLI::Option& option = *app.add_option("--" + field->name(), flags.fields[field->name()], HelpOf(*field));
    option.expected(1);
    option.type_name(IsNumber(*field) ? "NUMBER" : "TEXT");
    option.multi_option_policy(field->is_repeated() ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
  }
}

absl::Status ReadFlags(const Flags& flags, CommandLine& line) {
  for (const FieldDescriptor* field : Fields()) {
    const std::vector<std::string>& values = flags.fields.at(field->name());
    if (values.empty() && flags.emptied.count(field->name()) == 0) continue;
    const std::string source = absl::StrCat("flag --", field->name());
    CLM_RETURN_IF_ERROR(SetField(line.config, *field, absl::StrJoin(values, ","), source));
    line.sources[field->name()] = source;
  }
  return absl::OkStatus();
}

CommandLine TextAnswer(std::string text) {
  CommandLine line;
  line.action = CommandLine::Action::kPrint;
  line.text = std::move(text);
  return line;
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

v1::ServerConfig DefaultConfig() {
  v1::ServerConfig config;
  config.set_data_dir("./var");
  config.set_listen_address("127.0.0.1:50551");
  config.set_metrics_address("127.0.0.1:9464");
  config.set_max_message_bytes(uint64_t{4} << 20);
  config.set_max_upload_bytes(uint64_t{64} << 30);
  config.set_max_queued_jobs(64);
  config.set_max_running_jobs(1);
  config.set_max_concurrent_calls(8);
  config.set_default_deadline_seconds(3600);
  config.set_idle_timeout_seconds(300);
  config.set_drain_seconds(20);
  config.set_threads(0);
  config.set_log_level("info");
  config.set_model_memory_bytes(uint64_t{4} << 30);
  config.set_device("auto");
  config.set_max_job_resumes(3);
  return config;
}

absl::Status ValidateConfig(const v1::ServerConfig& config) {
  for (const FieldDescriptor* field : Fields()) {
    if (IsNumber(*field)) CLM_RETURN_IF_ERROR(CheckNumber(config, *field));
  }
  return CheckTexts(config);
}

std::string PrintConfig(const CommandLine& line) {
  std::string text;
  for (const FieldDescriptor* field : Fields()) {
    const int count = field->is_repeated() ? v1::ServerConfig::GetReflection()->FieldSize(line.config, field) : 1;
    const std::string& source = line.sources.at(field->name());
    if (count == 0) absl::StrAppend(&text, "# ", field->name(), ": none  # ", source, "\n");
    for (int i = 0; i < count; ++i) {
      std::string value;
      TextFormat::PrintFieldValueToString(line.config, field, field->is_repeated() ? i : -1, &value);
      absl::StrAppend(&text, field->name(), ": ", value, "  # ", source, "\n");
    }
  }
  return text;
}

absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv, const Environment& environment) {
  Flags flags;
  CLI::App app(
      "CLM server: compression-aware language models over gRPC.\n"
      "Values come from defaults, --config, environment, flags; later ones win.",
      "clm_server");
  try {
    DeclareFlags(app, flags);
    const std::vector<const char*> rest = TakeEmptied(argc, argv, flags);
    app.parse(static_cast<int>(rest.size()), rest.data());
  } catch (const CLI::CallForHelp&) {
    return TextAnswer(app.help());
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(error.what());
  }
  if (flags.version) return TextAnswer(VersionText());
  CommandLine line;
  line.config = DefaultConfig();
  for (const FieldDescriptor* field : Fields()) line.sources[field->name()] = "default";
  if (!flags.config_file.empty()) CLM_RETURN_IF_ERROR(ReadConfigFile(flags.config_file, line));
  CLM_RETURN_IF_ERROR(ReadEnvironment(environment, line));
  CLM_RETURN_IF_ERROR(ReadFlags(flags, line));
  CLM_RETURN_IF_ERROR(ValidateConfig(line.config));
  if (flags.print) return TextAnswer(PrintConfig(line));
  if (flags.check) line.action = CommandLine::Action::kCheckConfig;
  return line;
}

}  // namespace clm
