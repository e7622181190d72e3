#include "server/service/compare_handler.h"

#include "server/service/error_detail.h"

namespace clm {

absl::StatusOr<v1::CompareResponse> HandleCompare(Operations& operations, const Call& call,
                                                  const v1::CompareRequest& request) {
  if (request.baseline().empty()) return InvalidField("baseline", "is required");
  if (request.candidate().empty()) return InvalidField("candidate", "is required");
  return operations.Compare(request, call.cancel());
}

}  // namespace clm
