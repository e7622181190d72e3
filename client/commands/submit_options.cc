#include "client/commands/submit_options.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "client/render.h"
#include "client/upload.h"
#include "core/base/status_macros.h"

namespace clm::client {
namespace {

v1::DocumentRule RuleOf(const std::string& name) {
  if (name == "line") return v1::DOCUMENT_RULE_LINE;
  if (name == "paragraph") return v1::DOCUMENT_RULE_PARAGRAPH;
  return v1::DOCUMENT_RULE_FILE;
}

}  // namespace

void AddSubmitFlags(CLI::App& command, SubmitOptions& options) {
  command.add_option("--request-id", options.request_id, "Submitting the same id again gives the same job");
  command.add_option("--name", options.display_name, "A name for people");
  command.add_flag("--detach", options.detach, "Print the job's name and return; `clm job watch` comes back to it");
}

void AddSourceFlags(CLI::App& command, SourceFlags& flags) {
  command.add_option("files", flags.files, "Text, .jsonl, .gz, .zst; uploaded first");
  command.add_option("--server-path", flags.server_paths, "File, folder or glob on the server, below an allowed root");
  command.add_option("--artifact", flags.artifacts, "An uploaded blob");
  command.add_option("--text-field", flags.text_field, "Field of a JSONL line that holds the text")
      ->capture_default_str();
  command.add_option("--documents", flags.rule, "What is a document in plain text: file, line or paragraph")
      ->check(CLI::IsMember({"file", "line", "paragraph"}))
      ->capture_default_str();
  command.add_option("--max-bad-lines", flags.max_bad_lines, "Bad lines that are only counted")->capture_default_str();
  command.add_option("--max-documents", flags.max_documents, "Stop after this many; 0 for all")->capture_default_str();
}

absl::StatusOr<v1::DocumentSource> MakeSource(Session& session, const SourceFlags& flags) {
  v1::DocumentSource source;
  for (const std::string& path : flags.server_paths) source.add_paths(path);
  for (const std::string& artifact : flags.artifacts) source.add_artifacts(artifact);
  for (const std::string& path : flags.files) {
    CLM_ASSIGN_OR_RETURN(const v1::Artifact artifact, UploadFile(session, path));
    session.Note(absl::StrCat("uploaded ", path, " as ", ShortId(artifact.name())));
    source.add_artifacts(artifact.name());
  }
  source.set_text_field(flags.text_field);
  source.set_rule(RuleOf(flags.rule));
  source.set_max_bad_lines(flags.max_bad_lines);
  source.set_max_documents(flags.max_documents);
  return source;
}

}  // namespace clm::client
