#include "server/service/encode_handler.h"

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
    v1::EncodeResponse response;
    response.mutable_header()->set_vocab_size(info.vocab_size);
    response.mutable_header()->set_width_bytes(SymbolWidthBytes(info.vocab_size));
    response.mutable_header()->set_fingerprint(info.fingerprint);
    return writer.Write(response);
  };
  const auto sink = [&](std::span<const SymbolId> symbols) {
    last.mutable_summary()->set_symbols(last.summary().symbols() + symbols.size());
    return WriteChunks(writer, PackSymbols(symbols, SymbolWidthBytes(info.vocab_size)),
                       [](v1::EncodeResponse& response) -> std::string& { return *response.mutable_symbols(); });
  };
  CLM_RETURN_IF_ERROR(operations.Encode(
      first.start().representation(), [&](std::string& chunk) { return chunks.Next(chunk); }, begin, sink,
      call.cancel()));
  metrics.Add(kOriginalBytes, {"encode", info.kind}, static_cast<double>(chunks.total_bytes()));
  last.mutable_summary()->set_original_bytes(chunks.total_bytes());
  return writer.Write(last);
}

}  // namespace clm
