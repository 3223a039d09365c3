#pragma once

// What every source of the sidecar includes. nvcc compiles for a GPU; another compiler for the
// emulation in test/native/cuda_emulation, whose folder is then on the include path.
#include <cstdint>

#include "backend/cuda/abi.h"

#if defined(__CUDACC__) || defined(GEMMINE_CUDA_DEVICE)
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#define SHARED(Type, name) __shared__ Type name
#define DYNAMIC_SHARED(name) extern __shared__ __align__(16) unsigned char name[]
#else
#include "shim.h"
#endif

namespace gemmine::cuda::device {

// One array a declaration: SHARED(Type, name), so that the emulation can guard each.

using Wide = std::int64_t;  // of every offset into a matrix

inline constexpr unsigned whole_warp = 0xFFFFFFFFu;

cudaStream_t stream_of(Queue* queue);
void make_current(Queue* queue);

// The code for a result of the runtime; keeps the text for Runtime::last_failure.
Code code_of(cudaError_t result, const char* what);
Code failed(Code code, const char* text);

// Blocks of `threads` that give each of `count` items a thread, at most `most` of them.
inline unsigned blocks_for(Wide count, int threads, Wide most = 1 << 20) {
  const Wide blocks = (count + threads - 1) / threads;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks < most ? blocks : most);
}

#if defined(__CUDACC__)
template <class... P, class... A>
Code launch(Queue* queue, dim3 grid, dim3 block, std::size_t shared, const char* name,
            void (*kernel)(P...), A&&... args) {
  make_current(queue);
  constexpr std::size_t without_asking = 48 << 10;
  if (shared > without_asking)
    if (const Code code = code_of(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                                       cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                       static_cast<int>(shared)),
                                  name);
        code != Code::ok)
      return code;
  kernel<<<grid, block, shared, stream_of(queue)>>>(static_cast<P>(args)...);
  return code_of(cudaGetLastError(), name);
}
#elif !defined(GEMMINE_CUDA_DEVICE)
template <class... P, class... A>
Code launch(Queue* queue, dim3 grid, dim3 block, std::size_t shared, const char* name,
            void (*kernel)(P...), A&&... args) {
  make_current(queue);
  return code_of(emulation::launch(grid, block, shared, stream_of(queue), kernel, name,
                                   static_cast<P>(args)...),
                 name);
}
#endif

}  // namespace gemmine::cuda::device
