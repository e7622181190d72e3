#include "server/metrics/exposer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

// The answer of 127.0.0.1:port to a GET, headers included.
std::string Get(int port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request = absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n");
    if (send(fd, request.data(), request.size(), 0) > 0) {
      std::array<char, 4096> buffer;
      for (ssize_t count = 0; (count = recv(fd, buffer.data(), buffer.size(), 0)) > 0;) {
        answer.append(buffer.data(), static_cast<size_t>(count));
      }
    }
  }
  close(fd);
  return answer;
}

TEST(MetricsExposerTest, FreePortIsTakenAndServesTheMetrics) {
  Metrics metrics;
  metrics.Set(kBuildInfo, {"0.1.0", "abc", "", "cpu"}, 1);
  ASSERT_OK_AND_ASSIGN(const auto exposer, MetricsExposer::Start("127.0.0.1:0", metrics));
  ASSERT_GT(exposer->port(), 0);
  const std::string answer = Get(exposer->port(), "/metrics");
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("clm_build_info{"));
  EXPECT_THAT(answer, HasSubstr("process_resident_memory_bytes"));
}

TEST(MetricsExposerTest, AddressThatCannotBeBoundIsNamed) {
  Metrics metrics;
  ASSERT_OK_AND_ASSIGN(const auto first, MetricsExposer::Start("127.0.0.1:0", metrics));
  const std::string taken = absl::StrCat("127.0.0.1:", first->port());
  EXPECT_THAT(MetricsExposer::Start(taken, metrics), StatusIs(absl::StatusCode::kUnavailable, HasSubstr(taken)));
  EXPECT_THAT(MetricsExposer::Start("nonsense", metrics), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace clm
