#include "server/health.h"

namespace clm {

void HealthReporter::Set(bool serving) {
  service_->SetServingStatus("", serving);
  for (const std::string& name : service_names_) service_->SetServingStatus(name, serving);
  service_->SetServingStatus("liveness", true);
}

void HealthReporter::SetReady() { Set(true); }

void HealthReporter::SetDraining() { Set(false); }

}  // namespace clm
