#include <algorithm>
#include <cstdlib>

#include "block.h"

// What a thread of a kernel asks for.
namespace emulation {
namespace {

constexpr std::size_t most_static_shared = 48 << 10;

void release_block_barrier() {
  block.arrived = 0;
  ++block.barriers;
  ++statistics.barriers;
  for (Fiber* fiber : block.fiber_of)
    if (fiber->state == State::at_block_barrier) fiber->state = State::ready;
}

}  // namespace

void free_shared() {
  [[maybe_unused]] const Unseen unseen;
  for (const SharedArray& array : block.arrays) std::free(array.memory);
  block.arrays.clear();
  std::free(block.dynamic);
  block.dynamic = nullptr;
  block.static_shared = 0;
}

void* poisoned(std::size_t bytes) {
  [[maybe_unused]] const Unseen unseen;
  void* memory = nullptr;
  if (posix_memalign(&memory, 128, std::max<std::size_t>(bytes, 1)) != 0) std::abort();
  std::memset(memory, 0xFF, bytes);  // NaN as float, −1 as an integer
  return memory;
}

uint3 thread_index() {
  const unsigned t = current->thread;
  return {t % block.block.x, t / block.block.x % block.block.y,
          t / (block.block.x * block.block.y)};
}
uint3 block_index() { return block.index; }
dim3 block_size() { return block.block; }
dim3 grid_size() { return block.grid; }

void block_barrier(int line) {
  Fiber* self = current;
  if (options.strict && block.arrived > 0 && block.line != line)
    fail("threads wait at different barriers, lines " + std::to_string(block.line) + " and " +
         std::to_string(line));
  block.line = line;
  self->state = State::at_block_barrier;
  char* token = &block.tokens[block.barriers % 2];
  tsan_release(token);
  const int waiting_for = options.strict ? block.threads : block.threads - block.exited;
  if (++block.arrived == waiting_for) release_block_barrier();
  to_scheduler(false);
  tsan_acquire(token);
}

void copy_unseen(void* to, const void* from, std::size_t bytes) {
  auto* at = static_cast<volatile unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from);
  if (bytes % 4 == 0) {
    for (std::size_t i = 0; i < bytes / 4; ++i)
      reinterpret_cast<volatile std::uint32_t*>(at)[i] =
          reinterpret_cast<const std::uint32_t*>(source)[i];
    return;
  }
  for (std::size_t i = 0; i < bytes; ++i) at[i] = source[i];
}

const Slot* warp_operation(int line, unsigned mask, const char* name, const void* value,
                           std::size_t bytes, Collective body) {
  Fiber* self = current;
  Warp& warp = block.warps[self->thread / warp_threads];
  const unsigned lane = self->thread % warp_threads;
  if (mask != 0xFFFFFFFFu) fail(std::string(name) + ": only whole warps are allowed");
  if (warp.arrived > 0 && (warp.line != line || warp.name != name))
    fail("lanes of a warp wait at " + std::string(warp.name) + ", line " +
         std::to_string(warp.line) + ", and at " + name + ", line " + std::to_string(line));
  warp.line = line;
  warp.name = name;
  Slot* slots = warp.slots[warp.parity];
  copy_unseen(slots[lane].bytes, value, bytes);
  if (++warp.arrived == warp_threads) {
    ++statistics.warp_operations;
    {
      if (body != nullptr) body(slots);
    }
    warp.arrived = 0;
    warp.parity ^= 1;
    const unsigned first = self->thread - lane;
    for (unsigned i = 0; i < warp_threads; ++i) block.fiber_of[first + i]->state = State::ready;
  } else {
    self->state = State::at_warp_operation;
    to_scheduler(false);
  }
  return slots;
}

void warp_barrier(int line) {
  Warp& warp = block.warps[current->thread / warp_threads];
  char* token = &warp.tokens[warp.barriers % 2];
  tsan_release(token);
  const bool last = warp.arrived == warp_threads - 1;
  if (last) ++warp.barriers;
  warp_operation(line, 0xFFFFFFFFu, "__syncwarp", nullptr, 0, nullptr);
  tsan_acquire(token);
}

void* shared(const void* tag, std::size_t bytes) {
  for (const SharedArray& array : block.arrays)
    if (array.tag == tag) return array.memory;
  block.static_shared += bytes;
  if (block.static_shared > most_static_shared) fail("more than 48 KB of static shared memory");
  block.arrays.push_back({tag, poisoned(bytes), bytes});
  return block.arrays.back().memory;
}
void* dynamic_shared() { return block.dynamic; }

void async_copy(void* to, const void* from, std::size_t bytes) {
  if (reinterpret_cast<std::uintptr_t>(to) % bytes != 0 ||
      reinterpret_cast<std::uintptr_t>(from) % bytes != 0)
    fail("cp.async of " + std::to_string(bytes) + " bytes is not aligned");
  current->copies.push_back({to, from, bytes});
}
void async_commit() {
  current->groups.push_back(std::move(current->copies));
  current->copies.clear();
}

// By the kernel's own thread, in instrumented code: copies.cc.
std::vector<Copy>* next_copies(int pending) {
  if (static_cast<int>(current->groups.size()) <= pending) return nullptr;
  return &current->groups.front();
}
void drop_copies() { current->groups.erase(current->groups.begin()); }

void gather_bits(Slot* lanes) {
  unsigned bits = 0;
  for (int i = 0; i < warp_threads; ++i) bits |= unsigned{lanes[i].bytes[0]} << i;
  for (int i = 0; i < warp_threads; ++i) copy_unseen(lanes[i].bytes, &bits, sizeof bits);
}

}  // namespace emulation
