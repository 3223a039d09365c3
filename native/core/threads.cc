#include "core/threads.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <chrono>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/address_space.h"
#include "core/error.h"

namespace gemmine {
namespace {

// The C library's default for a thread's stack on common systems.
constexpr std::size_t stack_bytes = std::size_t{8} << 20;

#ifdef __linux__

long number_of_this_thread() { return ::syscall(SYS_gettid); }

// A limit counts a thread for some microseconds after join() returns; the thread's entry in /proc
// disappears last.
void await_uncounted(const std::vector<long>& threads) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  for (const long thread : threads) {
    const std::string entry = "/proc/self/task/" + std::to_string(thread);
    while (::access(entry.c_str(), F_OK) == 0 && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
  }
}

#else

long number_of_this_thread() { return 0; }
void await_uncounted(const std::vector<long>&) {}

#endif

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

void try_threads(int count) {
  std::vector<std::thread> threads;
  std::vector<long> numbers(static_cast<std::size_t>(count));
  std::exception_ptr refused;
  {
    std::mutex all_started;
    std::unique_lock lock(all_started);
    try {
      for (long& number : numbers)
        threads.push_back(start_thread([&all_started, &number] {
          number = number_of_this_thread();
          const std::lock_guard wait(all_started);
        }));
    } catch (const Error&) {
      refused = std::current_exception();
    }
    lock.unlock();
    for (std::thread& thread : threads) thread.join();
  }
  await_uncounted(numbers);  // the number of a refused thread is 0
  if (refused) std::rethrow_exception(refused);
}

}  // namespace gemmine
