#include "core/train/train_report.h"

#include <nlohmann/json.hpp>

namespace clm {

std::string TrainReport::ToJson() const {
  nlohmann::json points = nlohmann::json::array();
  for (const ValidationPoint& point : validations) {
    points.push_back(
        {{"step", point.step}, {"original_bytes", point.original_bytes}, {"bits_per_byte", point.bits_per_byte}});
  }
  const double targets_per_second = seconds > 0 ? static_cast<double>(targets) / seconds : 0;
  const nlohmann::json root = {{"steps", steps},
                               {"original_bytes", original_bytes},
                               {"targets", targets},
                               {"seconds", seconds},
                               {"original_bytes_per_second", original_bytes_per_second()},
                               {"targets_per_second", targets_per_second},
                               {"final_loss_nats_per_byte", final_loss_nats_per_byte},
                               {"validations", points},
                               {"resumed_from_step", resumed_from_step},
                               {"notes", notes},
                               {"parameters",
                                {{"body", parameters.body},
                                 {"embedding", parameters.embedding},
                                 {"head", parameters.head},
                                 {"total", parameters.total()}}},
                               {"trainable_parameters", trainable_parameters},
                               {"device", device},
                               {"threads", threads}};
  return root.dump(2, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace clm
