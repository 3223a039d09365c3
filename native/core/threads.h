#pragma once

#include <functional>
#include <thread>

namespace gemmine {

// Starts a thread that runs `body`. If the system refuses, throws Error: `busy` at a limit on
// threads, `out_of_memory` if there is no address space for the stack.
std::thread start_thread(std::function<void()> body);

// Starts `count` threads at once and ends them: throws as start_thread() does where the system
// refuses one of them, and otherwise leaves room for so many.
void try_threads(int count);

}  // namespace gemmine
