#pragma once

namespace sluice::cli {

/// Starts the program again with an OpenMP that soon stops spinning where a thread waits for
/// another one, unless the user has said how it shall wait. GCC's reads that only before main().
void wait_briefly(char** argv);

}  // namespace sluice::cli
