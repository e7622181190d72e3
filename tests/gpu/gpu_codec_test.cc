// Compression on a machine with a graphics processor. Coding is integer arithmetic on the processor whatever device
// models are loaded on; these tests hold that.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/pipeline/model_loader.h"
#include "server/convert/pipeline_operations.h"
#include "tests/core/pipeline/engine_fixture.h"

namespace clm {
namespace {

class GpuCodecTest : public EngineTest {
 protected:
  void SetUp() override {
    const std::vector<std::string> devices = UsableDevices();
    const auto found = std::find_if(devices.begin(), devices.end(), [](const auto& name) { return name != "cpu"; });
    if (found == devices.end()) GTEST_SKIP() << "this build finds no graphics processor here";
    device_ = *found;
    checkpoint_ = MakeCheckpoint(1).Name();
    while (text_.size() < kTextBytes) text_ += Sentences();
    text_.resize(kTextBytes);
  }

  std::unique_ptr<Operations> ServerOn(const std::string& device) {
    v1::ServerConfig config;
    config.set_threads(2);
    config.set_device(device);
    config.set_model_memory_bytes(uint64_t{1} << 30);
    return *MakePipelineOperations(config, *store_, metrics_);
  }

  std::string Compress(Operations& server) const {
    v1::CompressRequest::Start start;
    start.set_checkpoint(checkpoint_);
    start.set_codec(v1::CODEC_PROBABILITY);
    std::string frame;
    EXPECT_OK(server.Compress(start, Once(text_), Into(frame), {}).status());
    return frame;
  }
  static std::string Decompress(Operations& server, const std::string& frame) {
    std::string text;
    EXPECT_OK(server.Decompress({}, Once(frame), Into(text), {}).status());
    return text;
  }

  static constexpr size_t kTextBytes = size_t{1} << 20;
  Metrics metrics_;
  std::string device_;
  std::string checkpoint_;
  std::string text_;

 private:
  static ByteSource Once(const std::string& data) {
    return [&data, is_given = false](std::string& piece) mutable -> absl::StatusOr<bool> {
      piece = is_given ? std::string() : data;
      is_given = true;
      return !piece.empty();
    };
  }
  static ByteSink Into(std::string& target) {
    return [&target](absl::string_view data) {
      target.append(data.data(), data.size());
      return absl::OkStatus();
    };
  }
};

TEST_F(GpuCodecTest, FramesWrittenBesideADeviceAndWithoutAreTheSame) {
  const auto with_device = ServerOn(device_);
  const auto without = ServerOn("cpu");
  // The device has a model at work, too.
  v1::LoadModelRequest load;
  load.set_checkpoint(checkpoint_);
  ASSERT_OK(with_device->LoadModel(load, {}).status());
  const std::string frame = Compress(*with_device);
  EXPECT_TRUE(frame == Compress(*without));
  EXPECT_TRUE(Decompress(*without, frame) == text_);
  EXPECT_TRUE(Decompress(*with_device, frame) == text_);
}

// What a user may force on all programs of a machine: products of floats with ten bits.
TEST_F(GpuCodecTest, ReducedPrecisionOfTheDeviceLeavesNoTrace) {
  const std::string frame = Compress(*ServerOn("cpu"));
  ASSERT_EQ(setenv("NVIDIA_TF32_OVERRIDE", "1", /*overwrite=*/1), 0);
  const auto with_device = ServerOn(device_);
  EXPECT_TRUE(Compress(*with_device) == frame);
  EXPECT_TRUE(Decompress(*with_device, frame) == text_);
  unsetenv("NVIDIA_TF32_OVERRIDE");
}

}  // namespace
}  // namespace clm
