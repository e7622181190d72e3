#include "core/artifact/manifest.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/rng.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

ArtifactId Id(ArtifactKind kind, char digit) { return *ArtifactId::Create(kind, std::string(64, digit)); }
ManifestFile File(const std::string& name, uint64_t size) { return {name, size, Sha256Hex(name)}; }

class ManifestTest : public ::testing::Test {
 protected:
  absl::StatusOr<Manifest> Make() const { return MakeManifest(kind_, parents_, files_, attributes_, time_); }
  std::string MakeId() const { return Make().value().id.hex(); }

  // Reads a good manifest after damage to its JSON.
  static absl::StatusOr<Manifest> ReadDamaged(const std::string& text, const std::function<void(Json&)>& damage) {
    Json root = Json::parse(text);
    damage(root);
    return ReadManifest(root.dump());
  }

  ArtifactKind kind_ = ArtifactKind::kCheckpoint;
  std::vector<ArtifactId> parents_ = {Id(ArtifactKind::kUniverse, 'b'), Id(ArtifactKind::kTokenizer, 'a')};
  std::vector<ManifestFile> files_ = {File("model.safetensors", 1000), File("config.json", 20)};
  ArtifactAttributes attributes_ = {{"representation", "coordinate"}, {"text", "line\nbreak \xc3\xa9"}};
  absl::Time time_ = absl::FromUnixMillis(1'800'000'000'123);
};

TEST_F(ManifestTest, ComesBackFromItsText) {
  ASSERT_OK_AND_ASSIGN(const Manifest manifest, Make());
  ASSERT_OK_AND_ASSIGN(const Manifest back, ReadManifest(WriteManifest(manifest)));
  EXPECT_EQ(back.id, manifest.id);
  EXPECT_EQ(back.create_time, time_);
  EXPECT_EQ(back.parents, manifest.parents);
  EXPECT_EQ(back.files, manifest.files);
  EXPECT_EQ(back.attributes, attributes_);
  EXPECT_EQ(back.TotalSizeBytes(), 1020u);
  ASSERT_NE(back.Find("config.json"), nullptr);
  EXPECT_EQ(back.Find("config.json")->size_bytes, 20u);
  EXPECT_EQ(back.Find("config.jso"), nullptr);
}

TEST_F(ManifestTest, IdIsTheDigestOfTheDocumentedText) {
  ASSERT_OK_AND_ASSIGN(const Manifest manifest, Make());
  const std::string text =
      absl::StrCat("clm-artifact 1\nkind checkpoint\n", "parent artifacts/tokenizer/", std::string(64, 'a'), "\n",
                   "parent artifacts/universe/", std::string(64, 'b'), "\n", "file 20 ", Sha256Hex("config.json"),
                   " config.json\n", "file 1000 ", Sha256Hex("model.safetensors"), " model.safetensors\n",
                   "attribute 14 10\nrepresentationcoordinate\n", "attribute 4 13\ntextline\nbreak \xc3\xa9\n");
  EXPECT_EQ(manifest.id.hex(), Sha256Hex(text));
}

TEST_F(ManifestTest, IdDependsOnContentOnly) {
  const std::string id = MakeId();
  time_ += absl::Hours(1);
  std::reverse(files_.begin(), files_.end());
  std::reverse(parents_.begin(), parents_.end());
  parents_.push_back(parents_.front());
  EXPECT_EQ(MakeId(), id);
  std::vector<std::string> ids = {id};
  const auto expect_other = [&] {
    EXPECT_EQ(std::count(ids.begin(), ids.end(), MakeId()), 0) << ids.size();
    ids.push_back(MakeId());
  };
  kind_ = ArtifactKind::kBlob;
  expect_other();
  parents_.clear();
  expect_other();
  files_[0].size_bytes += 1;
  expect_other();
  files_[0].sha256 = std::string(64, '0');
  expect_other();
  files_.pop_back();
  expect_other();
  attributes_["representation"] = "token";
  expect_other();
  attributes_ = {{"a", "bc"}};
  expect_other();
  attributes_ = {{"ab", "c"}};
  expect_other();
}

TEST_F(ManifestTest, RefusesBadFileNames) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string(".hidden"), std::string("a/b"),
        std::string("../a"), std::string("a\\b"), std::string("a\0b", 3), std::string("a\nb"), std::string("a\x7f"),
        std::string("\xff"), std::string("manifest.json"), std::string(256, 'a')}) {
    EXPECT_THAT(CheckArtifactFileName(name), StatusIs(absl::StatusCode::kInvalidArgument)) << name;
  }
  for (const std::string& name :
       {std::string("a"), std::string("data.ids"), std::string("caf\xc3\xa9 (1)"), std::string(255, 'a')}) {
    EXPECT_THAT(CheckArtifactFileName(name), IsOk()) << name;
  }
}

TEST_F(ManifestTest, RefusesWhatIsOverALimit) {
  const auto expect_refused = [&](const char* part) {
    EXPECT_THAT(Make(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(part)));
    attributes_.clear();
  };
  attributes_ = {{"", "x"}};
  expect_refused("key has 0 bytes");
  attributes_ = {{std::string(65, 'k'), "x"}};
  expect_refused("65 bytes, allowed are 1 to 64");
  attributes_ = {{"k", std::string(4097, 'x')}};
  expect_refused("4097 bytes, the limit is 4096");
  attributes_ = {{"k", "\xff"}};
  expect_refused("not UTF-8");
  for (int i = 0; i < 257; ++i) attributes_[absl::StrCat(i)] = "";
  expect_refused("257 attributes, the limit is 256");
  files_.push_back(files_.front());
  expect_refused("occurs twice");
  files_.back() = {"x", ~uint64_t{0}, std::string(64, 'a')};
  expect_refused("add up");
  files_.back() = {"x", 1, std::string(64, 'A')};
  expect_refused("sha256");
  files_.clear();
  for (int i = 0; i < 16385; ++i) files_.push_back({absl::StrCat("f", i), 1, std::string(64, 'a')});
  expect_refused("16385 files, the limit is 16384");
  files_.clear();
  parents_ = {ArtifactId()};
  expect_refused("empty id");
  parents_.clear();
  for (int i = 0; i < 257; ++i) parents_.push_back(*ArtifactId::Create(kind_, Sha256Hex(absl::StrCat(i))));
  expect_refused("257 parents, the limit is 256");
}

TEST_F(ManifestTest, RefusesEveryKindOfDamage) {
  const std::string text = WriteManifest(*Make());
  const std::vector<std::pair<const char*, std::function<void(Json&)>>> damages = {
      {"not an object", [](Json& root) { root["attributes"] = Json::array(); }},
      {"format", [](Json& root) { root["format"] = "other"; }},
      {"format", [](Json& root) { root = Json::array(); }},
      {"version", [](Json& root) { root["version"] = "1"; }},
      {"no \"files\"", [](Json& root) { root.erase("files"); }},
      {"unknown field \"more\"", [](Json& root) { root["more"] = 1; }},
      {"artifacts/{kind}", [](Json& root) { root["id"] = "x"; }},
      {"\"id\" is not a string", [](Json& root) { root["id"] = 5; }},
      {"create_time", [](Json& root) { root["create_time"] = "2026-11-21 10:00"; }},
      {"create_time", [](Json& root) { root["create_time"] = "2026-11-21T10:00:00Z"; }},
      {"list", [](Json& root) { root["parents"] = "x"; }},
      {"parent is not a string", [](Json& root) { root["parents"][0] = 1; }},
      {"sorted", [](Json& root) { std::swap(root["parents"][0], root["parents"][1]); }},
      {"list", [](Json& root) { root["files"] = 1; }},
      {"sorted", [](Json& root) { std::swap(root["files"][0], root["files"][1]); }},
      {"a file has no \"sha256\"", [](Json& root) { root["files"][0].erase("sha256"); }},
      {"a file has an unknown field", [](Json& root) { root["files"][0]["mode"] = 420; }},
      {"a file is not an object", [](Json& root) { root["files"][0] = "config.json"; }},
      {"size_bytes", [](Json& root) { root["files"][0]["size_bytes"] = -1; }},
      {"size_bytes", [](Json& root) { root["files"][0]["size_bytes"] = 20.5; }},
      {"file name", [](Json& root) { root["files"][0]["name"] = "../config.json"; }},
      {"attribute", [](Json& root) { root["attributes"]["n"] = 1; }},
      {"the content has the id", [](Json& root) { root["attributes"]["n"] = "1"; }},
      {"the content has the id", [](Json& root) { root["files"][0]["size_bytes"] = 21; }},
      {"total_size_bytes", [](Json& root) { root["total_size_bytes"] = 1; }},
  };
  for (const auto& [part, damage] : damages) {
    EXPECT_THAT(ReadDamaged(text, damage), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(part))) << part;
  }
  EXPECT_THAT(ReadDamaged(text, [](Json& root) { root["version"] = 2; }),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("version 2")));
}

TEST_F(ManifestTest, EveryTruncationIsDataLoss) {
  std::string text = WriteManifest(*Make());
  text.pop_back();  // the line end may be missing
  EXPECT_THAT(ReadManifest(text), IsOk());
  for (size_t length = 0; length < text.size(); ++length) {
    ASSERT_THAT(ReadManifest(text.substr(0, length)), StatusIs(absl::StatusCode::kDataLoss)) << length;
  }
  EXPECT_THAT(ReadManifest(std::string(kMaxManifestBytes + 1, ' ')), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(ManifestTest, AFlippedBitIsNeverAccepted) {
  const std::string text = WriteManifest(*Make());
  CounterRng rng(1, "manifest_test", 0);
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = text;
    const size_t at = rng.NextBelow(damaged.size());
    damaged[at] = static_cast<char>(static_cast<uint8_t>(damaged[at]) ^ (1U << rng.NextBelow(8)));
    const absl::StatusOr<Manifest> manifest = ReadManifest(damaged);
    // White space is free, and the creation time is no part of the identity.
    if (manifest.ok() && manifest->create_time == time_) {
      EXPECT_EQ(Json::parse(damaged), Json::parse(text)) << round;
    }
  }
}

}  // namespace
}  // namespace clm
