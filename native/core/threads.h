#pragma once

#include <functional>
#include <thread>

namespace gemmine {

// A new thread that runs `body`. Where the system refuses it, the Error tells what is short: `busy`
// at a limit on threads, `out_of_memory` where there is no address space for its stack.
std::thread start_thread(std::function<void()> body);

}  // namespace gemmine
