// RunServer: the program clm_server, but for what it does behind its calls.
//
// Reads the configuration (config.h), starts the server, prints one line to stdout when it is ready:
//
//   clm_server listening on 127.0.0.1:50551, metrics on port 9464, data in /srv/clm
//
// and drains on SIGTERM or SIGINT; a second signal ends the process at once with status 1 (workers die with it, their
// jobs continue at the next start). Exit status: 0 after a drain, --help and the like; 1 when the server cannot start;
// 2 for a bad configuration, which is explained on stderr.
#pragma once

#include "server/server.h"

namespace clm {

// Call once, from main(), before any thread is started: signals are blocked for all threads to come.
int RunServer(int argc, const char* const* argv, const ServerParts& parts);

// Has the process keep up to 64 MiB of freed memory per arena of its allocator, for the buffers of messages. Once,
// before threads start.
void KeepMessageMemory();

}  // namespace clm
