#pragma once

#include <functional>
#include <thread>

namespace gemmine {

// Starts a thread that runs `body`. If the system refuses, throws Error: `busy` at a limit on
// threads, `out_of_memory` if there is no address space for the stack.
std::thread start_thread(std::function<void()> body);

// Starts `count` threads at the same time and ends them. Throws like start_thread() if the system
// refuses one of them; otherwise there is room for `count` threads after it returns.
void try_threads(int count);

}  // namespace gemmine
