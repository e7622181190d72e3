// A valid report of a few documents, for tests of what reads and compares reports.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "core/base/units.h"
#include "core/eval/bpb_report.h"

namespace clm::testing {

inline BpbReport ReportOf(std::vector<double> nats, std::vector<uint64_t> bytes) {
  BpbReport report;
  report.checkpoint = "checkpoint-1";
  report.representation = "token";
  report.representation_fingerprint = std::string(64, 'a');
  report.tokenizer_sha256 = std::string(64, 'b');
  report.split = "validation";
  report.held_out_sha256 = std::string(64, 'c');
  report.scorer = "cpu float32, window 512, stride 256";
  report.vocab_size = 4'097;
  report.parameters = {.body = 1'000, .embedding = 200, .head = 300};
  report.flops_per_byte = 1.5e6;
  report.training = {.original_bytes = 1'000'000, .symbols = 300'000, .flops = 1e12, .seconds = 12.5};
  report.created_at = "2026-11-21T10:00:00Z";
  BpbResult& result = report.result;
  result.documents = nats.size();
  result.nats = std::accumulate(nats.begin(), nats.end(), 0.0);
  result.original_bytes = std::accumulate(bytes.begin(), bytes.end(), uint64_t{0});
  result.symbols = 3 * nats.size();
  result.bits_per_byte = BitsPerByte(result.nats, static_cast<double>(result.original_bytes));
  result.interval = {result.bits_per_byte - 0.1, result.bits_per_byte + 0.1};
  result.symbols_per_byte = static_cast<double>(result.symbols) / static_cast<double>(result.original_bytes);
  result.seconds = 2;
  result.bytes_per_second = static_cast<double>(result.original_bytes) / 2;
  result.document_nats = std::move(nats);
  result.document_bytes = std::move(bytes);
  return report;
}

}  // namespace clm::testing
