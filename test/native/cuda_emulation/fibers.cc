#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "block.h"

// Saves the registers that a call preserves on the stack, and takes those of another stack.
extern "C" void emulation_switch(void** save, void* to);
#if defined(__x86_64__)
asm(R"(
.text
.globl emulation_switch
.type emulation_switch,@function
emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulation_switch,.-emulation_switch
)");
#else
#error "another processor needs its own switch, or ucontext"
#endif

namespace emulation {

Options options;
Statistics statistics;
Block block;
Fiber* current = nullptr;

namespace {

#if defined(EMULATION_ASAN) || defined(EMULATION_TSAN)
constexpr std::size_t stack_bytes = 256 << 10;
#else
constexpr std::size_t stack_bytes = 64 << 10;
#endif
constexpr int most_threads = 1024;
constexpr std::size_t most_dynamic_shared = 227 << 10;

std::vector<Fiber> fibers;
void* scheduler_stack = nullptr;
[[maybe_unused]] void* scheduler_tsan = nullptr;
[[maybe_unused]] void* scheduler_fake_stack = nullptr;
[[maybe_unused]] const void* scheduler_bottom = nullptr;
[[maybe_unused]] std::size_t scheduler_size = 0;

std::uint64_t random_state = 1;
std::uint64_t next_random() {
  random_state += 0x9E3779B97F4A7C15ull;
  std::uint64_t z = random_state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}
template <class T>
void shuffle(std::vector<T>& items) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[next_random() % i]);
}

}  // namespace

void to_scheduler([[maybe_unused]] bool last) {
  ++statistics.switches;
  Fiber* self = current;
#if defined(EMULATION_TSAN)
  __tsan_switch_to_fiber(scheduler_tsan, 1);  // 1: no synchronisation
#endif
#if defined(EMULATION_ASAN)
  __sanitizer_start_switch_fiber(last ? nullptr : &self->fake_stack, scheduler_bottom,
                                 scheduler_size);
#endif
  emulation_switch(&self->stack_pointer, scheduler_stack);
#if defined(EMULATION_ASAN)
  __sanitizer_finish_switch_fiber(self->fake_stack, &scheduler_bottom, &scheduler_size);
#endif
}

void fail(const std::string& what) {
  if (block.error.empty())
    block.error = what + ", block " + std::to_string(block.index.x) + "," +
                  std::to_string(block.index.y) +
                  (current ? ", thread " + std::to_string(current->thread) : "");
}

namespace {

void to_fiber(Fiber& fiber) {
  ++statistics.switches;
  current = &fiber;
#if defined(EMULATION_TSAN)
  __tsan_switch_to_fiber(fiber.tsan, 1);
#endif
#if defined(EMULATION_ASAN)
  __sanitizer_start_switch_fiber(&scheduler_fake_stack, fiber.stack, stack_bytes);
#endif
  emulation_switch(&scheduler_stack, fiber.stack_pointer);
#if defined(EMULATION_ASAN)
  __sanitizer_finish_switch_fiber(scheduler_fake_stack, nullptr, nullptr);
#endif
  current = nullptr;
}

void entry() {
#if defined(EMULATION_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, &scheduler_bottom, &scheduler_size);
#endif
  tsan_acquire(&block.launched);
  (*block.body)();
  tsan_release(&block.joined);
  current->state = State::done;
  ++block.exited;
  if (!current->groups.empty() || !current->copies.empty())
    fail("a thread ended with asynchronous copies under way");
  to_scheduler(true);
  std::abort();
}

void prepare(Fiber& fiber, unsigned thread) {
  if (fiber.stack == nullptr) {
    void* memory = mmap(nullptr, stack_bytes + 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    mprotect(memory, 4096, PROT_NONE);
    fiber.stack = static_cast<char*>(memory) + 4096;
#if defined(EMULATION_TSAN)
    fiber.tsan = __tsan_create_fiber(0);
#endif
  }
#if defined(EMULATION_ASAN)
  __asan_unpoison_memory_region(fiber.stack, stack_bytes);
  fiber.fake_stack = nullptr;
#endif
  auto** top = reinterpret_cast<void**>(fiber.stack + stack_bytes - 64);
  *--top = nullptr;  // where entry() would return to
  *--top = reinterpret_cast<void*>(&entry);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  fiber.stack_pointer = top;
  fiber.state = State::ready;
  fiber.thread = thread;
  fiber.copies.clear();
  fiber.groups.clear();
}

// What keeps the block from going on, when no thread can.
void diagnose() {
  if (block.arrived > 0)
    return fail("barrier at line " + std::to_string(block.line) + " reached by " +
                std::to_string(block.arrived) + " of " + std::to_string(block.threads) +
                " threads (" + std::to_string(block.exited) + " ended)");
  for (const Warp& warp : block.warps)
    if (warp.arrived > 0)
      return fail(std::string(warp.name) + " at line " + std::to_string(warp.line) +
                  " reached by " + std::to_string(warp.arrived) + " of 32 lanes");
  fail("deadlock");
}

void run_block() {
  std::vector<Fiber*> order = block.fiber_of;
  while (block.exited < block.threads && block.error.empty()) {
    shuffle(order);
    bool moved = false;
    for (Fiber* fiber : order) {
      if (fiber->state != State::ready || !block.error.empty()) continue;
      moved = true;
      to_fiber(*fiber);
    }
    if (!moved) diagnose();
  }
}

}  // namespace

std::string run(dim3 grid, dim3 size, std::size_t dynamic_shared_bytes, const char* name,
                const std::function<void()>& thread) {
  const auto threads = static_cast<int>(size.x * size.y * size.z);
  const auto refuse = [&](const char* why) { return std::string(name) + ": " + why; };
  if (threads < 1 || threads > most_threads) return refuse("a block has 1 to 1024 threads");
  if (threads % warp_threads != 0) return refuse("a block must consist of whole warps");
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return refuse("an empty grid");
  if (grid.y > 65535 || grid.z > 65535 || grid.x > 0x7FFFFFFFu)
    return refuse("the grid is too large");
  if (dynamic_shared_bytes > most_dynamic_shared) return refuse("too much shared memory");
  random_state = options.seed;
  if (fibers.size() < static_cast<std::size_t>(threads)) fibers.resize(threads);
#if defined(EMULATION_TSAN)
  scheduler_tsan = __tsan_get_current_fiber();
#endif
  block.grid = grid;
  block.block = size;
  block.threads = threads;
  block.body = &thread;
  block.error.clear();
  block.warps.assign(threads / warp_threads, Warp{});
  block.fiber_of.resize(threads);
  tsan_release(&block.launched);
  std::vector<std::uint64_t> order(std::uint64_t{grid.x} * grid.y * grid.z);
  std::iota(order.begin(), order.end(), 0);
  shuffle(order);
  for (std::size_t b = 0; b < order.size() && block.error.empty(); ++b) {
    block.index = {static_cast<unsigned>(order[b] % grid.x),
                   static_cast<unsigned>(order[b] / grid.x % grid.y),
                   static_cast<unsigned>(order[b] / grid.x / grid.y)};
    block.arrived = block.exited = 0;
    for (Warp& warp : block.warps) warp.arrived = 0;
    block.dynamic = dynamic_shared_bytes > 0 ? poisoned(dynamic_shared_bytes) : nullptr;
    // Another fiber for the same thread of the next block: TSan would take them for one.
    const int turn = static_cast<int>(b * 37 % threads);
    for (int t = 0; t < threads; ++t) {
      Fiber& fiber = fibers[(t + turn) % threads];
      prepare(fiber, t);
      block.fiber_of[t] = &fiber;
    }
    run_block();
    statistics.threads += threads;
    free_shared();
  }
  tsan_acquire(&block.joined);
  return block.error.empty() ? std::string() : std::string(name) + ": " + block.error;
}

}  // namespace emulation
