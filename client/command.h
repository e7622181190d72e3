// The commands of `clm`. Each function adds one subcommand to the parser; its callback runs the command and leaves the
// exit code in the session.
#pragma once

#include "CLI/CLI.hpp"
#include "client/session.h"

namespace clm::client {

void AddPrepare(CLI::App& app, Session& session);
void AddTrain(CLI::App& app, Session& session);
void AddEvaluate(CLI::App& app, Session& session);
void AddCompare(CLI::App& app, Session& session);
void AddEncode(CLI::App& app, Session& session);
void AddDecode(CLI::App& app, Session& session);
void AddCompress(CLI::App& app, Session& session);
void AddDecompress(CLI::App& app, Session& session);
void AddGenerate(CLI::App& app, Session& session);
void AddTrace(CLI::App& app, Session& session);
void AddStage(CLI::App& app, Session& session);
void AddCorrect(CLI::App& app, Session& session);
void AddJob(CLI::App& app, Session& session);
void AddArtifact(CLI::App& app, Session& session);
void AddModel(CLI::App& app, Session& session);
void AddHealthcheck(CLI::App& app, Session& session);
void AddVersion(CLI::App& app, Session& session);
void AddCompletion(CLI::App& app, Session& session);

}  // namespace clm::client
