// What is running: for --version, GetCapabilities and clm_build_info.
#pragma once

#include <string>

namespace clm {

// "0.1.0"
std::string Version();
// Source revision that the build was configured at; empty when unknown.
std::string Commit();
// Version, revision and the versions of the libraries underneath, one per line.
std::string VersionText();

}  // namespace clm
