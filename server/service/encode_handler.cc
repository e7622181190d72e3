#include "server/service/encode_handler.h"

#include <algorithm>

#include "core/base/status_macros.h"
#include "server/service/chunks.h"
#include "server/service/symbol_bytes.h"

namespace clm {

absl::Status HandleEncode(Operations& operations, Metrics& metrics, const Call& call,
                          MessageReader<v1::EncodeRequest>& reader, MessageWriter<v1::EncodeResponse>& writer) {
  CLM_ASSIGN_OR_RETURN(const v1::EncodeRequest first, ReadStart(reader));
  ChunkReader chunks(reader, "data",
                     [](v1::EncodeRequest& request) { return request.has_data() ? request.mutable_data() : nullptr; });
  RepresentationInfo info;
  v1::EncodeResponse last;
  const auto begin = [&](const RepresentationInfo& representation) {
    info = representation;
    v1::EncodeResponse opening;
    opening.mutable_header()->set_vocab_size(info.vocab_size);
    opening.mutable_header()->set_width_bytes(SymbolWidthBytes(info.vocab_size));
    opening.mutable_header()->set_fingerprint(info.fingerprint);
    return writer.Write(opening);
  };
  v1::EncodeResponse response;  // keeps its buffer from one message to the next
  const auto sink = [&](std::span<const SymbolId> symbols) -> absl::Status {
    last.mutable_summary()->set_symbols(last.summary().symbols() + symbols.size());
    const uint32_t width = SymbolWidthBytes(info.vocab_size);
    while (!symbols.empty()) {
      const size_t count = std::min(symbols.size(), kMaxChunkOutBytes / width);
      PackSymbols(symbols.first(count), width, *response.mutable_symbols());
      CLM_RETURN_IF_ERROR(writer.Write(response));
      symbols = symbols.subspan(count);
    }
    return absl::OkStatus();
  };
  CLM_RETURN_IF_ERROR(operations.Encode(
      first.start().representation(), [&](std::string& chunk) { return chunks.Next(chunk); }, begin, sink,
      call.cancel()));
  metrics.Add(kOriginalBytes, {"encode", info.kind}, static_cast<double>(chunks.total_bytes()));
  last.mutable_summary()->set_original_bytes(chunks.total_bytes());
  return writer.Write(last);
}

}  // namespace clm
