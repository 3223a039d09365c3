#pragma once

// Runs kernels on the CPU: each thread of a block is a fiber, and blocks follow each other in a
// seeded order. One launch at a time. Only tests include this.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

namespace emulation {

struct Options {
  std::uint64_t seed = 1;  // order of blocks and of threads between barriers
  bool strict = true;      // a barrier must be reached by all threads at the same line
};
extern Options options;

struct Statistics {
  std::uint64_t threads = 0, switches = 0, barriers = 0, warp_operations = 0, products = 0;
};
extern Statistics statistics;

// Empty, or what the last launch did that a GPU would not forgive.
std::string run(dim3 grid, dim3 block, std::size_t dynamic_shared, const char* name,
                const std::function<void()>& thread);

// ---- For the shim.
uint3 thread_index();
uint3 block_index();
dim3 block_size();
dim3 grid_size();
void block_barrier(int line);
void warp_barrier(int line);
void* shared(const void* tag, std::size_t bytes);
void* dynamic_shared();

inline constexpr int warp_threads = 32;
inline constexpr std::size_t slot_bytes = 64;
struct alignas(16) Slot {
  unsigned char bytes[slot_bytes];
};
using Collective = void (*)(Slot* lanes);
// All lanes of a warp give a value; the last one to come runs `body` over all 32 slots. The slots
// stay as they are until the lane's next operation but one.
const Slot* warp_operation(int line, unsigned mask, const char* name, const void* value,
                           std::size_t bytes, Collective body);
void copy_unseen(void* to, const void* from, std::size_t bytes);  // by TSan
// Copies that have not happened yet: performed by wait, in the thread that asked for them.
void async_copy(void* to, const void* from, std::size_t bytes);
void async_commit();
void async_wait(int pending);

}  // namespace emulation
