#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "emulation.h"

// The block that runs now, and its fibers. Never compiled with -fsanitize=thread: what happens here
// between the threads of a kernel is invisible to the sanitizer, which is told of the kernel's own
// barriers and of nothing else.

#if defined(EMULATION_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(EMULATION_TSAN)
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned);
void __tsan_switch_to_fiber(void*, unsigned);
void __tsan_acquire(void*);
void __tsan_release(void*);
void AnnotateIgnoreReadsBegin(const char*, int);
void AnnotateIgnoreReadsEnd(const char*, int);
void AnnotateIgnoreWritesBegin(const char*, int);
void AnnotateIgnoreWritesEnd(const char*, int);
}
#endif

namespace emulation {

struct Copy {
  void* to;
  const void* from;
  std::size_t bytes;
};

enum class State { ready, at_block_barrier, at_warp_operation, done };

struct Fiber {
  void* stack_pointer = nullptr;
  char* stack = nullptr;
  State state = State::ready;
  unsigned thread = 0;  // its index in the block
  void* fake_stack = nullptr;
  void* tsan = nullptr;
  std::vector<Copy> copies;  // not yet committed
  std::vector<std::vector<Copy>> groups;
};

struct Warp {
  Slot slots[2][warp_threads];
  int parity = 0;
  int arrived = 0;
  int line = 0;  // where its lanes wait
  const char* name = nullptr;
  char tokens[2];  // what TSan knows of __syncwarp
  int barriers = 0;
};

struct SharedArray {
  const void* tag;
  void* memory;
  std::size_t bytes;
};

struct Block {
  dim3 grid, block;
  uint3 index;
  int threads = 0;
  int arrived = 0;
  int line = 0;
  int exited = 0;
  int barriers = 0;
  char tokens[2];
  char launched, joined;  // tokens of ThreadSanitizer
  std::vector<SharedArray> arrays;
  std::size_t static_shared = 0;
  void* dynamic = nullptr;
  std::vector<Fiber*> fiber_of;  // by thread
  std::vector<Warp> warps;
  const std::function<void()>* body = nullptr;
  std::string error;
};

extern Block block;
extern Fiber* current;

inline void tsan_acquire([[maybe_unused]] void* token) {
#if defined(EMULATION_TSAN)
  __tsan_acquire(token);
#endif
}
inline void tsan_release([[maybe_unused]] void* token) {
#if defined(EMULATION_TSAN)
  __tsan_release(token);
#endif
}

// By ThreadSanitizer: fresh memory without a past.
struct Unseen {
#if defined(EMULATION_TSAN)
  Unseen() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~Unseen() {
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  }
#endif
};

// Keeps the first thing that a GPU would not forgive; the launch ends with it.
void fail(const std::string& what);
void to_scheduler(bool last);
void* poisoned(std::size_t bytes);  // NaN as float, −1 as an integer
void free_shared();

}  // namespace emulation
