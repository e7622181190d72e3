// Configuration of clm_server: defaults < text file < environment < flags, every field of clm.v1.ServerConfig in each
// of them.
//
//   CLM_ASSIGN_OR_RETURN(const CommandLine line, ParseCommandLine(argc, argv, ProcessEnvironment()));
//   if (line.action == CommandLine::Action::kRun) Run(line.config);
//
// The fields are found by reflection, so a new field of the message is a new variable and a new flag without code here;
// its default, its range and its help are rows of tables in config.cc, and a test demands the rows. Lists are separated
// by commas in variables and flags; a flag may also be given several times. Errors: INVALID_ARGUMENT naming source,
// field, value and range; NOT_FOUND for a file that is not there. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clm/v1/server_config.pb.h"

namespace clm {

// The value of an environment variable, or nothing.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Environment ProcessEnvironment();

struct CommandLine {
  enum class Action : uint8_t {
    kRun,          // serve
    kCheckConfig,  // the configuration is good; say so and end
    kPrint,        // print `text` and end: help, version, or the configuration with its sources
  };
  Action action = Action::kRun;
  std::string text;
  v1::ServerConfig config;
  // Where each field's value comes from: "default", "file <path>", "environment CLM_X", "flag --x".
  std::map<std::string, std::string> sources;
};

// What a server does when nobody says anything. worker_path is empty: clm_worker beside the program.
v1::ServerConfig DefaultConfig();

// INVALID_ARGUMENT naming field, value and range of the first field that is out of its range.
absl::Status ValidateConfig(const v1::ServerConfig& config);

// Flags: --config FILE, one per field, --check_config, --print_config, --version, --help.
absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv, const Environment& environment);

// One line per field: "name: value  # source", as a text file that --config takes.
std::string PrintConfig(const CommandLine& line);

}  // namespace clm
