// clm: the client of clm_server.

#include <cstdio>
#include <exception>

#include "client/command.h"
#include "client/session.h"

namespace clm::client {
namespace {

void AddGlobalFlags(CLI::App& app, GlobalOptions& options) {
  app.add_option("--address", options.address, "Server, as host:port")->envname("CLM_ADDRESS")->capture_default_str();
  app.add_option("--output", options.output, "text or json")
      ->envname("CLM_OUTPUT")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option("--timeout", options.timeout_seconds, "Seconds a single call may take")
      ->envname("CLM_TIMEOUT")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("-q,--quiet", options.quiet, "No progress and no notes")->envname("CLM_QUIET");
}

void AddCommands(CLI::App& app, Session& session) {
  AddPrepare(app, session);
  AddTrain(app, session);
  AddEvaluate(app, session);
  AddCompare(app, session);
  AddEncode(app, session);
  AddDecode(app, session);
  AddCompress(app, session);
  AddDecompress(app, session);
  AddGenerate(app, session);
  AddTrace(app, session);
  AddStage(app, session);
  AddCorrect(app, session);
  AddJob(app, session);
  AddArtifact(app, session);
  AddModel(app, session);
  AddHealthcheck(app, session);
  AddVersion(app, session);
  AddCompletion(app, session);
}

int Main(int argc, char** argv) {
  InstallInterruptHandling();
  CLI::App app("Bits per original byte: prepare, train, evaluate, compress and generate through a CLM server", "clm");
  Session session;
  AddGlobalFlags(app, session.options());
  AddCommands(app, session);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Exit codes: 0 done, 1 failed, 2 usage, 3 unavailable, 4 not found, 5 exhausted, 6 data loss, 130 interrupted");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return session.exit_code;
}

}  // namespace
}  // namespace clm::client

int main(int argc, char** argv) {
  try {
    return clm::client::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "clm: %s\n", error.what());
    return clm::client::kExitFailed;
  }
}
