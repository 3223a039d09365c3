#pragma once

// CUDA's spellings for the host: what kernels may use, and nothing else.
#include <immintrin.h>

#include <cmath>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "emulation.h"
#include "runtime.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define threadIdx (::emulation::thread_index())
#define blockIdx (::emulation::block_index())
#define blockDim (::emulation::block_size())
#define gridDim (::emulation::grid_size())

// One array a declaration, so that each has red zones of its own.
#define SHARED(Type, name)           \
  static const char name##_tag_ = 0; \
  Type& name = *static_cast<Type*>(::emulation::shared(&name##_tag_, sizeof(Type)))
#define DYNAMIC_SHARED(name) auto* name = static_cast<unsigned char*>(::emulation::dynamic_shared())

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};

inline void __syncthreads(int line = __builtin_LINE()) { emulation::block_barrier(line); }
inline void __syncwarp(unsigned = 0xFFFFFFFFu, int line = __builtin_LINE()) {
  emulation::warp_barrier(line);
}

namespace emulation {
template <class T>
T from_lane(unsigned mask, T value, int lane, const char* name, int line) {
  static_assert(sizeof(T) <= slot_bytes && std::is_trivially_copyable_v<T>);
  const Slot* all = warp_operation(line, mask, name, &value, sizeof(T), nullptr);
  T result;
  copy_unseen(&result, all[lane & 31].bytes, sizeof(T));
  return result;
}
void gather_bits(Slot* lanes);
inline int lane() { return static_cast<int>(thread_index().x % 32); }  // blocks are one-dimensional
}  // namespace emulation

template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int line = __builtin_LINE()) {
  return emulation::from_lane(mask, value, lane, "__shfl_sync", line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int line = __builtin_LINE()) {
  return emulation::from_lane(mask, value, emulation::lane() ^ bits, "__shfl_xor_sync", line);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, int by, int line = __builtin_LINE()) {
  const int from = emulation::lane() + by;
  return emulation::from_lane(mask, value, from < 32 ? from : emulation::lane(), "__shfl_down_sync",
                              line);
}
inline unsigned __ballot_sync(unsigned mask, bool truth, int line = __builtin_LINE()) {
  unsigned bits = truth;
  const emulation::Slot* all =
      emulation::warp_operation(line, mask, "__ballot_sync", &bits, 4, emulation::gather_bits);
  emulation::copy_unseen(&bits, all[emulation::lane()].bytes, 4);
  return bits;
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, int by, int line = __builtin_LINE()) {
  const int from = emulation::lane() - by;
  return emulation::from_lane(mask, value, from >= 0 ? from : emulation::lane(), "__shfl_up_sync",
                              line);
}
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }

inline int atomicAdd(int* at, int by) { return __atomic_fetch_add(at, by, __ATOMIC_RELAXED); }
inline unsigned atomicAdd(unsigned* at, unsigned by) {
  return __atomic_fetch_add(at, by, __ATOMIC_RELAXED);
}
inline unsigned long long atomicAdd(unsigned long long* at, unsigned long long by) {
  return __atomic_fetch_add(at, by, __ATOMIC_RELAXED);
}
inline int atomicMin(int* at, int other) {
  int before = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (other < before && !__atomic_compare_exchange_n(at, &before, other, false, __ATOMIC_RELAXED,
                                                        __ATOMIC_RELAXED)) {
  }
  return before;
}
inline int atomicMax(int* at, int other) {
  int before = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (other > before && !__atomic_compare_exchange_n(at, &before, other, false, __ATOMIC_RELAXED,
                                                        __ATOMIC_RELAXED)) {
  }
  return before;
}

// -ffp-contract=off makes these what they say.
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }

struct __half {
  std::uint16_t bits;
};
inline float __half2float(__half h) { return _cvtsh_ss(h.bits); }
inline __half __float2half_rn(float x) { return {static_cast<std::uint16_t>(_cvtss_sh(x, 0))}; }

// ---- Launches. Pointers must be memory of the device.

namespace emulation {

template <class T>
bool on_device(const T& value) {
  if constexpr (std::is_pointer_v<T>) return value == nullptr || is_device_memory(value);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&value);
  for (std::size_t at = 0; at + 8 <= sizeof(T); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + at, 8);
    if (is_host_address(word)) return false;
  }
  return true;
}

template <class... P>
cudaError_t launch(dim3 grid, dim3 block, std::size_t shared, cudaStream_t stream,
                   void (*kernel)(P...), const char* name, P... arguments) {
  if (fails_now()) return runtime_options.failure;
  if (!last_failure().empty()) return cudaErrorLaunchFailure;
  const std::tuple<P...> held(arguments...);
  enqueue(stream, [=] {
    const bool fine = std::apply([](const P&... each) { return (on_device(each) && ...); }, held);
    if (!fine) return launch_failed(std::string(name) + ": a pointer to memory of the host");
    const std::string error = run(grid, block, shared, name, [&] { std::apply(kernel, held); });
    if (!error.empty()) launch_failed(error);
  });
  return cudaSuccess;
}

}  // namespace emulation
