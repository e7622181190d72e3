// libFuzzer target: any bytes through the streaming decoder and the random-access reader. Both must end, stay within
// memory and agree; ctest does not run it. Seeds: tests/golden/frame/v1.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "core/codec/frame_decoder.h"
#include "core/codec/frame_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const clm::CodecSet* const kCodecs = new clm::CodecSet(clm::CodecSet::BuiltIn());
  const absl::string_view frame(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<std::string> decoded = clm::DecodeFrame(frame, *kCodecs, {.max_original_bytes = 1 << 22});

  const clm::MemoryFile file(frame);
  const absl::StatusOr<clm::FrameReader> reader = clm::FrameReader::Create(file, *kCodecs);
  std::string read;
  bool complete = reader.ok();
  for (size_t i = 0; complete && i < reader->block_count() && i < 64; ++i) {
    const absl::StatusOr<std::string> block = reader->DecodeBlock(i, {});
    complete = block.ok();
    if (complete) read += *block;
  }
  if (decoded.ok()) {
    CLM_CHECK(complete);
    CLM_CHECK(reader->block_count() > 64 || read == *decoded);
  }
  return 0;
}
