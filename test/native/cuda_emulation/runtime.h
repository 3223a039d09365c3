#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

// The part of the CUDA runtime that the sidecar uses. Work waits in its stream until somebody waits
// for it, or (seeded) until any other call: code that forgets to wait reads what is not there yet.
// Memory of the device is accessible only while work of the device runs.

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorNoDevice = 100,
  cudaErrorLaunchFailure = 719,
};
enum cudaMemcpyKind {
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2,
  cudaMemcpyDeviceToDevice = 3,
};
inline constexpr unsigned cudaStreamNonBlocking = 1;
inline constexpr unsigned cudaEventDisableTiming = 2;
using cudaStream_t = struct EmulatedStream*;
using cudaEvent_t = struct EmulatedEvent*;
struct cudaDeviceProp {
  char name[256];
  int major, minor, multiProcessorCount;
};

cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total);
cudaError_t cudaMalloc(void** out, std::size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMallocHost(void** out, std::size_t bytes);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t rows,
                              cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaGetLastError();
const char* cudaGetErrorName(cudaError_t error);
const char* cudaGetErrorString(cudaError_t error);

namespace emulation {

struct RuntimeOptions {
  std::size_t device_bytes = std::size_t{1} << 31;  // cudaMalloc fails beyond
  int devices = 1;
  int driver_version = 13000;  // 1000 times the major version and 10 times the minor one
  int runtime_version = 13000;
  int major = 9, minor = 0;  // compute capability
  int eagerness = 0;         // of 100: how often a call lets waiting work of some stream go on
  long calls_to_fail = 0;    // the n-th call from now fails; 0: none
  cudaError_t failure = cudaErrorLaunchFailure;  // of that call
};
extern RuntimeOptions runtime_options;

// Whether this call is the one that fails. Every emulated function that can fail asks.
bool fails_now();

void enqueue(cudaStream_t stream, std::function<void()> work);
// Keeps the first failure of a kernel: every later call fails, as on a GPU.
void launch_failed(const std::string& what);
const std::string& last_failure();
void forget_failure();
bool is_device_memory(const void* at);
bool is_host_address(std::uint64_t word);

// What is held: 0 once everything was freed.
struct Held {
  std::size_t device_bytes = 0;
  std::size_t pinned_bytes = 0;
  long streams = 0;
  long events = 0;
  long blas_handles = 0;

  bool nothing() const {
    return device_bytes == 0 && pinned_bytes == 0 && streams == 0 && events == 0 &&
           blas_handles == 0;
  }
};
extern Held held;

}  // namespace emulation
