#include "server/job/job_request.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/digest.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

bool IsRequestIdCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
}

}  // namespace

v1::JobKind KindOf(const v1::JobSpec& spec) {
  switch (spec.task_case()) {
    case v1::JobSpec::kPrepare:
      return v1::JOB_KIND_PREPARE;
    case v1::JobSpec::kTrain:
      return v1::JOB_KIND_TRAIN;
    case v1::JobSpec::kEvaluate:
      return v1::JOB_KIND_EVALUATE;
    case v1::JobSpec::TASK_NOT_SET:
      break;
  }
  return v1::JOB_KIND_UNSPECIFIED;
}

absl::string_view KindName(v1::JobKind kind) {
  switch (kind) {
    case v1::JOB_KIND_PREPARE:
      return "prepare";
    case v1::JOB_KIND_TRAIN:
      return "train";
    case v1::JOB_KIND_EVALUATE:
      return "evaluate";
    default:
      return "unspecified";
  }
}

std::vector<std::string> InputArtifacts(const v1::JobSpec& spec) {
  std::vector<std::string> names;
  const auto add = [&names](const std::string& name) {
    if (!name.empty()) names.push_back(name);
  };
  const auto add_documents = [&names](const v1::DocumentSource& source) {
    names.insert(names.end(), source.artifacts().begin(), source.artifacts().end());
  };
  add_documents(spec.prepare().source());
  add(spec.prepare().tokenizer().artifact());
  add(spec.prepare().universe().extends());
  add(spec.train().corpus());
  add(spec.evaluate().checkpoint());
  add_documents(spec.evaluate().source());
  return names;
}

absl::Status CheckSubmitRequest(const v1::SubmitJobRequest& request) {
  if (KindOf(request.spec()) == v1::JOB_KIND_UNSPECIFIED) {
    return InvalidField("spec", "has no task; one of prepare, train, evaluate is required");
  }
  const std::string& id = request.request_id();
  if (id.size() > kMaxRequestIdLength || !std::all_of(id.begin(), id.end(), IsRequestIdCharacter)) {
    return InvalidField("request_id", absl::StrCat("not 1 to ", kMaxRequestIdLength, " characters of [A-Za-z0-9_.-]"));
  }
  if (request.display_name().size() > kMaxDisplayNameBytes) {
    return InvalidField("display_name", absl::StrCat("has ", request.display_name().size(), " bytes, at most ",
                                                     kMaxDisplayNameBytes, " are allowed"));
  }
  return absl::OkStatus();
}

std::string SpecDigest(const v1::JobSpec& spec) {
  v1::JobSpec anonymous = spec;
  anonymous.clear_job_id();
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    anonymous.SerializeToCodedStream(&coded);
  }
  return Sha256Hex(bytes);
}

absl::string_view JobIdOf(absl::string_view name) { return absl::StripPrefix(name, "jobs/"); }

}  // namespace clm
