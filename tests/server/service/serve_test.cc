// The wrapper around every call, over real connections: a service in this process whose handlers do what the test says.
#include "server/service/serve.h"

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "clm/v1/error_detail.pb.h"
#include "clm/v1/service.grpc.pb.h"
#include "core/base/log.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(20);
constexpr int kMaxMessageBytes = 1 << 20;

class ScriptedService final : public v1::CompressionService::Service {
 public:
  explicit ScriptedService(const CallRuntime& runtime) : runtime_(runtime) {}

  std::function<absl::StatusOr<v1::CompareResponse>(Call&)> compare;
  std::function<absl::Status(Call&, MessageWriter<v1::GenerateResponse>&)> generate;
  std::function<absl::Status(Call&, MessageReader<v1::EncodeRequest>&, MessageWriter<v1::EncodeResponse>&)> encode;

  grpc::Status Compare(grpc::ServerContext* context, const v1::CompareRequest*,
                       v1::CompareResponse* response) override {
    return ServeUnary(runtime_, "CompressionService/Compare", *context, *response,
                      [&](Call& call) { return compare(call); });
  }
  grpc::Status Generate(grpc::ServerContext* context, const v1::GenerateRequest*,
                        grpc::ServerWriter<v1::GenerateResponse>* writer) override {
    return ServeServerStream(runtime_, "CompressionService/Generate", *context, *writer,
                             [&](Call& call, MessageWriter<v1::GenerateResponse>& out) { return generate(call, out); });
  }
  grpc::Status Encode(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<v1::EncodeResponse, v1::EncodeRequest>* stream) override {
    return ServeBidi(runtime_, "CompressionService/Encode", *context, *stream,
                     [&](Call& call, MessageReader<v1::EncodeRequest>& in, MessageWriter<v1::EncodeResponse>& out) {
                       return encode(call, in, out);
                     });
  }

 private:
  const CallRuntime& runtime_;
};

class ServeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogSink([this](const std::string& line) {
      absl::MutexLock lock(&mu_);
      log_ += line + "\n";
    });
    Start(absl::Seconds(30), absl::Seconds(30));
  }
  void TearDown() override {
    Stop();
    SetLogSink({});
  }

  void Start(absl::Duration idle_timeout, absl::Duration default_deadline) {
    Stop();
    admission_ = std::make_unique<CallAdmission>(AdmissionLimits{.per_method = 1});
    watchdog_ = std::make_unique<CallWatchdog>(idle_timeout);
    runtime_ = {.metrics = &metrics_,
                .admission = admission_.get(),
                .watchdog = watchdog_.get(),
                .default_deadline = default_deadline};
    service_ = std::make_unique<ScriptedService>(runtime_);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    stub_ = v1::CompressionService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  }
  void Stop() {
    if (server_ != nullptr) server_->Shutdown(absl::ToChronoTime(absl::Now()));
    server_.reset();
    watchdog_.reset();
  }

  std::string LogText() {
    absl::MutexLock lock(&mu_);
    return log_;
  }

  // The handler has ended and was counted with `code`.
  bool WaitForCount(const std::string& method, const std::string& code) {
    const std::string series = "clm_grpc_server_call_duration_seconds_count{code=\"" + code +
                               "\",method=\"CompressionService/" + method + "\"} 1";
    const absl::Time deadline = absl::Now() + kPatience;
    while (absl::Now() < deadline) {
      if (metrics_.Expose().find(series) != std::string::npos) return true;
      std::this_thread::yield();
    }
    return false;
  }

  absl::Mutex mu_;
  std::string log_ ABSL_GUARDED_BY(mu_);
  Metrics metrics_;
  std::unique_ptr<CallAdmission> admission_;
  std::unique_ptr<CallWatchdog> watchdog_;
  CallRuntime runtime_{};
  std::unique_ptr<ScriptedService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::CompressionService::Stub> stub_;
};

TEST_F(ServeTest, CallIsAnsweredCountedAndLoggedUnderItsRequestId) {
  service_->compare = [](Call& call) -> absl::StatusOr<v1::CompareResponse> {
    v1::CompareResponse response;
    response.set_verdict(call.request_id());
    return response;
  };
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", "my-request.1");
  v1::CompareResponse response;
  ASSERT_TRUE(stub_->Compare(&context, {}, &response).ok());
  EXPECT_EQ(response.verdict(), "my-request.1");
  EXPECT_EQ(context.GetServerInitialMetadata().find("x-request-id")->second, "my-request.1");
  EXPECT_TRUE(WaitForCount("Compare", "OK"));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_grpc_server_calls_in_flight{method=\"CompressionService/Compare\"} 0"));
  EXPECT_THAT(LogText(), HasSubstr("\"request_id\":\"my-request.1\""));
  EXPECT_THAT(LogText(), HasSubstr("\"method\":\"CompressionService/Compare\""));
}

TEST_F(ServeTest, RequestIdOfACallerIsNotTrusted) {
  service_->compare = [](Call& call) -> absl::StatusOr<v1::CompareResponse> {
    v1::CompareResponse response;
    response.set_verdict(call.request_id());
    return response;
  };
  std::string first;
  for (const std::string& id : {std::string("a b"), std::string(65, 'x')}) {
    grpc::ClientContext context;
    context.AddMetadata("x-request-id", id);
    v1::CompareResponse response;
    ASSERT_TRUE(stub_->Compare(&context, {}, &response).ok());
    EXPECT_NE(response.verdict(), id);
    EXPECT_NE(response.verdict(), first) << "new for each call";
    first = response.verdict();
  }
}

TEST_F(ServeTest, ErrorTravelsWithItsDetailsAndItsRetryAdvice) {
  service_->compare = [](Call&) -> absl::StatusOr<v1::CompareResponse> {
    return WithRetry(WithReason(absl::ResourceExhaustedError("64 jobs wait"), "JOB_QUEUE_FULL"), absl::Seconds(10));
  };
  grpc::ClientContext context;
  v1::CompareResponse response;
  const grpc::Status status = stub_->Compare(&context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "64 jobs wait");
  v1::ErrorStatus details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), 8);
  v1::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(details.details(0).value()));
  EXPECT_EQ(info.reason(), "JOB_QUEUE_FULL");
  const auto pushback = context.GetServerTrailingMetadata().find("grpc-retry-pushback-ms");
  ASSERT_NE(pushback, context.GetServerTrailingMetadata().end());
  EXPECT_EQ(pushback->second, "10000");
}

TEST_F(ServeTest, EveryCodeMapsByNumber) {
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status = ToGrpc(absl::Status(static_cast<absl::StatusCode>(code), "m"));
    EXPECT_EQ(static_cast<int>(status.error_code()), code);
  }
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
}

TEST_F(ServeTest, ExceptionOfALibraryEndsOnlyItsCall) {
  service_->compare = [](Call&) -> absl::StatusOr<v1::CompareResponse> { throw std::bad_alloc(); };
  grpc::ClientContext context;
  v1::CompareResponse response;
  EXPECT_EQ(stub_->Compare(&context, {}, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  service_->compare = [](Call&) -> absl::StatusOr<v1::CompareResponse> { throw std::runtime_error("odd"); };
  grpc::ClientContext second;
  EXPECT_EQ(stub_->Compare(&second, {}, &response).error_code(), grpc::StatusCode::INTERNAL);
}

TEST_F(ServeTest, CancellationReachesAHandlerThatComputes) {
  absl::Notification running;
  absl::Notification stopped;
  service_->generate = [&](Call& call, MessageWriter<v1::GenerateResponse>&) {
    running.Notify();
    const absl::Time give_up = absl::Now() + kPatience;
    while (!call.cancel().cancelled() && absl::Now() < give_up) std::this_thread::yield();
    const absl::Status status = call.cancel().Check();
    stopped.Notify();
    return status;
  };
  grpc::ClientContext context;
  const auto reader = stub_->Generate(&context, {});
  running.WaitForNotification();
  const absl::Time start = absl::Now();
  context.TryCancel();
  stopped.WaitForNotification();
  // The promise is 50 ms; the bound leaves room for a busy machine.
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(WaitForCount("Generate", "CANCELLED"));
}

TEST_F(ServeTest, DeadlineOfTheCallerExpiresTheToken) {
  absl::Status seen;
  absl::Notification stopped;
  service_->generate = [&](Call& call, MessageWriter<v1::GenerateResponse>&) {
    const absl::Time give_up = absl::Now() + kPatience;
    while (!call.cancel().cancelled() && absl::Now() < give_up) std::this_thread::yield();
    const absl::Status status = call.cancel().Check();
    seen = status;
    stopped.Notify();  // after which `seen` may be gone
    return status;
  };
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Milliseconds(100)));
  const auto reader = stub_->Generate(&context, {});
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  stopped.WaitForNotification();
  EXPECT_TRUE(absl::IsDeadlineExceeded(seen)) << seen;
}

TEST_F(ServeTest, CallWithoutADeadlineGetsOne) {
  Start(absl::Seconds(30), absl::Milliseconds(50));
  service_->compare = [](Call& call) -> absl::StatusOr<v1::CompareResponse> {
    const absl::Time give_up = absl::Now() + kPatience;
    while (!call.cancel().cancelled() && absl::Now() < give_up) std::this_thread::yield();
    return call.cancel().Check();
  };
  grpc::ClientContext context;
  v1::CompareResponse response;
  EXPECT_EQ(stub_->Compare(&context, {}, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(ServeTest, ClientThatStopsReadingLosesItsCall) {
  Start(absl::Milliseconds(100), absl::Seconds(30));
  absl::Notification ended;
  service_->generate = [&](Call&, MessageWriter<v1::GenerateResponse>& writer) {
    v1::GenerateResponse response;
    response.set_text(std::string(256 << 10, 'x'));
    absl::Status status;
    while (status.ok()) status = writer.Write(response);  // until the peer's window is full
    ended.Notify();
    return status;
  };
  grpc::ClientContext context;
  const auto reader = stub_->Generate(&context, {});
  EXPECT_TRUE(ended.WaitForNotificationWithTimeout(kPatience));
  EXPECT_TRUE(WaitForCount("Generate", "DEADLINE_EXCEEDED"));
  v1::GenerateResponse ignored;
  while (reader->Read(&ignored)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_THAT(LogText(), HasSubstr("idle timeout"));
}

TEST_F(ServeTest, ClientThatSendsNothingLosesItsCall) {
  Start(absl::Milliseconds(100), absl::Seconds(30));
  service_->encode = [](Call&, MessageReader<v1::EncodeRequest>& reader, MessageWriter<v1::EncodeResponse>&) {
    v1::EncodeRequest request;
    return reader.Read(request).status();
  };
  grpc::ClientContext context;
  const auto stream = stub_->Encode(&context);
  v1::EncodeResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(WaitForCount("Encode", "DEADLINE_EXCEEDED"));
}

TEST_F(ServeTest, EndOfAStreamAndItsLossAreToldApart) {
  for (const bool leaves : {false, true}) {
    absl::StatusOr<bool> last = true;
    absl::Notification first_read;
    absl::Notification ended;
    service_->encode = [&](Call&, MessageReader<v1::EncodeRequest>& reader, MessageWriter<v1::EncodeResponse>&) {
      v1::EncodeRequest request;
      while ((last = reader.Read(request)).ok() && *last) first_read.Notify();
      const absl::Status status = last.status();
      ended.Notify();  // after which `last` may be gone
      return status;
    };
    grpc::ClientContext context;
    const auto stream = stub_->Encode(&context);
    v1::EncodeRequest request;
    request.set_data("x");
    stream->Write(request);
    first_read.WaitForNotification();
    leaves ? context.TryCancel() : static_cast<void>(stream->WritesDone());
    ended.WaitForNotification();
    EXPECT_EQ(last.ok(), !leaves) << last.status();
    EXPECT_EQ(stream->Finish().ok(), !leaves);
  }
}

TEST_F(ServeTest, OversizedMessageEndsItsStreamAndNothingElse) {
  absl::StatusOr<bool> last = true;
  absl::Notification ended;
  service_->encode = [&](Call&, MessageReader<v1::EncodeRequest>& reader, MessageWriter<v1::EncodeResponse>&) {
    v1::EncodeRequest request;
    while ((last = reader.Read(request)).ok() && *last) {
    }
    const absl::Status status = last.status();
    ended.Notify();  // after which `last` may be gone
    return status;
  };
  service_->compare = [](Call&) -> absl::StatusOr<v1::CompareResponse> { return v1::CompareResponse(); };
  grpc::ClientContext context;
  const auto stream = stub_->Encode(&context);
  v1::EncodeRequest request;
  request.set_data(std::string(kMaxMessageBytes + 1, 'x'));
  stream->Write(request);
  stream->WritesDone();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(ended.WaitForNotificationWithTimeout(kPatience));
  EXPECT_FALSE(last.ok() && *last) << "the message is not handed out";
  grpc::ClientContext second;
  v1::CompareResponse response;
  EXPECT_TRUE(stub_->Compare(&second, {}, &response).ok());
}

TEST_F(ServeTest, CallBeyondTheLimitIsRefusedWithAdviceAndCounted) {
  absl::Notification running;
  absl::Notification go_on;
  service_->generate = [&](Call&, MessageWriter<v1::GenerateResponse>&) {
    running.Notify();
    go_on.WaitForNotification();
    return absl::OkStatus();
  };
  grpc::ClientContext first;
  const auto reader = stub_->Generate(&first, {});
  running.WaitForNotification();
  grpc::ClientContext second;
  const auto refused = stub_->Generate(&second, {});
  EXPECT_EQ(refused->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(second.GetServerTrailingMetadata().find("grpc-retry-pushback-ms")->second, "1000");
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_grpc_server_rejected_total{method=\"CompressionService/Generate\","
                                           "reason=\"TOO_MANY_CALLS\"} 1"));
  go_on.Notify();
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ServeTest, DrainingServerRefusesNewCalls) {
  admission_->Drain();
  grpc::ClientContext context;
  v1::CompareResponse response;
  EXPECT_EQ(stub_->Compare(&context, {}, &response).error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace clm
