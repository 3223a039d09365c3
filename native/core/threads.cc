#include "core/threads.h"

#include <system_error>
#include <utility>

#include "core/address_space.h"
#include "core/error.h"

namespace gemmine {
namespace {

// The C library's default for a thread's stack on common systems.
constexpr std::size_t stack_bytes = std::size_t{8} << 20;

}  // namespace

// pthread_create() returns EAGAIN both at a limit on threads and for a stack that cannot be mapped.
std::thread start_thread(std::function<void()> body) {
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error&) {
    if (!has_address_space(stack_bytes))
      throw Error(ErrorCode::out_of_memory,
                  "No address space is left for the stack of a thread (ulimit -v)");
    throw Error(ErrorCode::busy,
                "The system allows no further thread, and a job needs two: its limit on threads "
                "(ulimit -u, the pids limit of a container) is reached");
  }
}

}  // namespace gemmine
