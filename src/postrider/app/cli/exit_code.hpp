#pragma once

namespace postrider {

/// What a command tells the shell. The numbers are part of the interface.
enum class ExitCode : int {
  ok = 0,
  failed = 1,       ///< the server said no, or could not be reached
  bad_input = 2,    ///< wrong arguments, configuration or input; trying again will not help
  interrupted = 3,  ///< stopped by a signal before the work was done
};

}  // namespace postrider
