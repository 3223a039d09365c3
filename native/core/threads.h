#pragma once

#include <functional>
#include <thread>

namespace gemmine {

// Starts a thread that runs `body`. If the system refuses, throws Error: `busy` at a limit on
// threads, `out_of_memory` if there is no address space for the stack.
std::thread start_thread(std::function<void()> body);

}  // namespace gemmine
