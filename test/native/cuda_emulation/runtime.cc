#include "runtime.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <vector>

#include "memory.h"

struct EmulatedEvent {
  std::uint64_t recorded = 0;  // number of the last record() that was called
  std::uint64_t reached = 0;   // and of the last one that was done
  cudaStream_t stream = nullptr;
};
struct EmulatedStream {
  std::deque<std::function<bool()>> work;  // false: it waits for another stream
};

namespace emulation {

RuntimeOptions runtime_options;
Held held;

namespace {

std::vector<EmulatedStream*>& streams() {
  static auto& all = *new std::vector<EmulatedStream*>;
  return all;
}
std::map<void*, std::size_t>& pinned() {
  static auto& all = *new std::map<void*, std::size_t>;
  return all;
}
std::string failure;
std::uint64_t dice = 88172645463325252ull;
std::uint64_t roll() {
  dice ^= dice << 13;
  dice ^= dice >> 7;
  dice ^= dice << 17;
  return dice;
}

bool step(EmulatedStream* stream) {
  if (stream->work.empty() || !stream->work.front()()) return false;
  stream->work.pop_front();
  return true;
}

// Others go on only where this stream waits for them.
void drain(EmulatedStream* stream) {
  if (stream->work.empty()) return;
  const MemoryAccess access;
  while (!stream->work.empty()) {
    if (step(stream)) continue;
    bool moved = false;
    for (EmulatedStream* other : streams()) moved = (other != stream && step(other)) || moved;
    if (!moved) {
      launch_failed("streams wait for each other");
      return;
    }
  }
}

void maybe_go_on() {
  if (runtime_options.eagerness == 0 || streams().empty()) return;
  while (static_cast<int>(roll() % 100) < runtime_options.eagerness) {
    const MemoryAccess access;
    step(streams()[roll() % streams().size()]);
  }
}

cudaError_t result_of_call() {
  if (!failure.empty()) return cudaErrorLaunchFailure;
  return fails_now() ? runtime_options.failure : cudaSuccess;
}

}  // namespace

bool fails_now() {
  return runtime_options.calls_to_fail > 0 && --runtime_options.calls_to_fail == 0;
}

void enqueue(cudaStream_t stream, std::function<void()> work) {
  stream->work.push_back([work = std::move(work)] { return work(), true; });
  maybe_go_on();
}
void launch_failed(const std::string& what) {
  if (!failure.empty()) return;
  failure = what;
  std::fprintf(stderr, "emulated device: %s\n", what.c_str());
}
const std::string& last_failure() { return failure; }
void forget_failure() { failure.clear(); }

}  // namespace emulation

using namespace emulation;

// ---- Devices.

cudaError_t cudaDriverGetVersion(int* version) {
  return *version = runtime_options.driver_version, cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  return *version = runtime_options.runtime_version, cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = runtime_options.devices;
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaSetDevice(int device) {
  return device >= 0 && device < runtime_options.devices ? cudaSuccess : cudaErrorInvalidValue;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"host emulation", runtime_options.major, runtime_options.minor, 4};
  return result_of_call();
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = runtime_options.device_bytes;
  *free = *total - std::min(*total, held.device_bytes);
  return result_of_call();
}

// ---- Memory.

cudaError_t cudaMalloc(void** out, std::size_t bytes) {
  *out = nullptr;
  if (const cudaError_t error = result_of_call(); error != cudaSuccess) return error;
  if (held.device_bytes + bytes > runtime_options.device_bytes) return cudaErrorMemoryAllocation;
  *out = take_memory(bytes);
  if (*out == nullptr) return cudaErrorMemoryAllocation;
  held.device_bytes += std::max<std::size_t>(bytes, 1);
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  if (memory == nullptr) return cudaSuccess;
  for (EmulatedStream* stream : streams()) drain(stream);
  const std::size_t bytes = give_back_memory(memory);
  if (bytes == 0) launch_failed("cudaFree of what is not allocated");
  held.device_bytes -= bytes;
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** out, std::size_t bytes) {
  *out = nullptr;
  if (const cudaError_t error = result_of_call(); error != cudaSuccess) return error;
  if (posix_memalign(out, 256, std::max<std::size_t>(bytes, 1)) != 0)
    return cudaErrorMemoryAllocation;
  pinned()[*out] = bytes;
  held.pinned_bytes += bytes;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  if (memory == nullptr) return cudaSuccess;
  for (EmulatedStream* stream : streams()) drain(stream);
  const auto found = pinned().find(memory);
  if (found == pinned().end()) return launch_failed("cudaFreeHost of other memory"), cudaSuccess;
  held.pinned_bytes -= found->second;
  pinned().erase(found);
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t rows,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  if (const cudaError_t error = result_of_call(); error != cudaSuccess) return error;
  if (width > to_pitch || width > from_pitch) return cudaErrorInvalidValue;
  if (is_device_memory(to) != (kind != cudaMemcpyDeviceToHost) ||
      is_device_memory(from) != (kind != cudaMemcpyHostToDevice))
    launch_failed("a copy whose direction does not match its pointers");
  enqueue(stream, [=] {
    for (std::size_t i = 0; i < rows; ++i)
      std::memmove(static_cast<char*>(to) + i * to_pitch,
                   static_cast<const char*>(from) + i * from_pitch, width);
  });
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return cudaMemcpy2DAsync(to, bytes, from, bytes, bytes, 1, kind, stream);
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t error = result_of_call(); error != cudaSuccess) return error;
  if (!is_device_memory(to)) launch_failed("cudaMemsetAsync of host memory");
  enqueue(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}

// ---- Streams and events.

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned) {
  if (const cudaError_t error = result_of_call(); error != cudaSuccess) return error;
  streams().push_back(*out = new EmulatedStream);
  ++held.streams;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  drain(stream);
  std::erase(streams(), stream);
  delete stream;
  --held.streams;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  // After a failure a GPU does not write to memory of the host that may be gone by then.
  drain(stream);
  if (fails_now()) return runtime_options.failure;
  return last_failure().empty() ? cudaSuccess : cudaErrorLaunchFailure;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned) {
  if (const cudaError_t error = result_of_call(); error != cudaSuccess) return error;
  *out = new EmulatedEvent;
  ++held.events;
  return cudaSuccess;
}
// Streams may still hold the event: it is never deleted.
cudaError_t cudaEventDestroy(cudaEvent_t) { return --held.events, cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t error = result_of_call(); error != cudaSuccess) return error;
  const std::uint64_t number = ++event->recorded;
  event->stream = stream;
  enqueue(stream, [=] { event->reached = number; });
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const cudaError_t error = result_of_call(); error != cudaSuccess) return error;
  stream->work.push_back([=, number = event->recorded] { return event->reached >= number; });
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const MemoryAccess access;
  while (event->reached < event->recorded)
    if (!step(event->stream)) drain(event->stream);
  if (fails_now()) return runtime_options.failure;
  return last_failure().empty() ? cudaSuccess : cudaErrorLaunchFailure;
}

cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation"
         : error == cudaErrorNoDevice       ? "cudaErrorNoDevice"
         : error == cudaErrorInvalidValue   ? "cudaErrorInvalidValue"
                                            : "cudaErrorLaunchFailure";
}
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory"
         : last_failure().empty()           ? "emulated failure"
                                            : last_failure().c_str();
}
