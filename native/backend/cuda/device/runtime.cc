#include "backend/cuda/device/runtime.h"

#include <cstdio>
#include <cstring>
#include <new>
#include <string>

#include "backend/cuda/device/cublas.h"
#include "backend/cuda/device/platform.h"

namespace gemmine::cuda {

struct Queue {
  int device;
  cudaStream_t stream;
  device::CublasHandle blas;
};
struct Event {
  int device;
  cudaEvent_t event;
};

namespace device {
namespace {

char* failure_text() {
  static thread_local char text[1024];
  return text;
}

cudaStream_t stream_or_none(Queue* queue) { return queue == nullptr ? nullptr : queue->stream; }

void copy_text(const std::string& text, char* to, std::size_t size) {
  std::snprintf(to, size, "%s", text.c_str());
}

Code probe(Probe* found) {
  *found = {};
  cudaDriverGetVersion(&found->driver_version);
  cudaRuntimeGetVersion(&found->runtime_version);
  int devices = 0;
  const cudaError_t result = cudaGetDeviceCount(&devices);
  if (result == cudaSuccess)
    found->devices = devices;
  else
    std::snprintf(found->driver, sizeof found->driver, "%s (%s)", cudaGetErrorName(result),
                  cudaGetErrorString(result));
  cudaGetLastError();  // not the failure of a later launch
  std::string text;
  found->blas_found = find_cublas(text) != nullptr ? 1 : 0;
  copy_text(text, found->blas, sizeof found->blas);
  return Code::ok;
}

Code describe(std::int32_t device, DeviceDescription* description) {
  *description = {};
  if (const Code code = code_of(cudaSetDevice(device), "cudaSetDevice"); code != Code::ok)
    return code;
  cudaDeviceProp properties;
  if (const Code code = code_of(cudaGetDeviceProperties(&properties, device), "properties");
      code != Code::ok)
    return code;
  std::size_t free = 0, total = 0;
  if (const Code code = code_of(cudaMemGetInfo(&free, &total), "cudaMemGetInfo"); code != Code::ok)
    return code;
  copy_text(properties.name, description->name, sizeof description->name);
  description->memory = static_cast<std::int64_t>(total);
  description->free = static_cast<std::int64_t>(free);
  description->major = properties.major;
  description->minor = properties.minor;
  description->multiprocessors = properties.multiProcessorCount;
  return Code::ok;
}

const char* last_failure() { return failure_text(); }

Code open(std::int32_t device, Queue** queue) {
  *queue = nullptr;
  if (const Code code = code_of(cudaSetDevice(device), "cudaSetDevice"); code != Code::ok)
    return code;
  cudaStream_t stream = nullptr;
  if (const Code code =
          code_of(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
      code != Code::ok)
    return code;
  *queue = new (std::nothrow) Queue{device, stream, nullptr};
  if (*queue != nullptr) return Code::ok;
  cudaStreamDestroy(stream);
  return failed(Code::out_of_memory, "no host memory for a queue");
}

void close(Queue* queue) {
  make_current(queue);
  cudaStreamSynchronize(queue->stream);
  std::string text;
  if (queue->blas != nullptr) find_cublas(text)->destroy(queue->blas);
  cudaStreamDestroy(queue->stream);
  delete queue;
}

Code synchronize(Queue* queue) {
  make_current(queue);
  return code_of(cudaStreamSynchronize(queue->stream), "work of the device");
}

Code allocate(Queue* queue, std::int64_t bytes, void** memory) {
  make_current(queue);
  return code_of(cudaMalloc(memory, static_cast<std::size_t>(bytes)), "cudaMalloc");
}
void release(Queue* queue, void* memory) {
  make_current(queue);
  cudaFree(memory);
}
Code allocate_pinned(Queue* queue, std::int64_t bytes, void** memory) {
  make_current(queue);
  return code_of(cudaMallocHost(memory, static_cast<std::size_t>(bytes)), "cudaMallocHost");
}
void release_pinned(Queue* queue, void* memory) {
  make_current(queue);
  cudaFreeHost(memory);
}

Code copy(Queue* queue, const Copy* copy) {
  if (copy->rows == 0 || copy->width == 0) return Code::ok;
  const cudaMemcpyKind kind = copy->direction == Direction::to_device ? cudaMemcpyHostToDevice
                              : copy->direction == Direction::to_host ? cudaMemcpyDeviceToHost
                                                                      : cudaMemcpyDeviceToDevice;
  make_current(queue);
  const bool whole =
      copy->rows == 1 || (copy->to_stride == copy->width && copy->from_stride == copy->width);
  if (whole)
    return code_of(
        cudaMemcpyAsync(copy->to, copy->from, static_cast<std::size_t>(copy->width * copy->rows),
                        kind, stream_or_none(queue)),
        "cudaMemcpyAsync");
  return code_of(
      cudaMemcpy2DAsync(copy->to, static_cast<std::size_t>(copy->to_stride), copy->from,
                        static_cast<std::size_t>(copy->from_stride),
                        static_cast<std::size_t>(copy->width), static_cast<std::size_t>(copy->rows),
                        kind, stream_or_none(queue)),
      "cudaMemcpy2DAsync");
}

Code fill(Queue* queue, void* memory, std::int32_t byte, std::int64_t bytes) {
  if (bytes == 0) return Code::ok;
  make_current(queue);
  return code_of(
      cudaMemsetAsync(memory, byte, static_cast<std::size_t>(bytes), stream_or_none(queue)),
      "cudaMemsetAsync");
}

Code create_event(Queue* queue, Event** event) {
  *event = nullptr;
  make_current(queue);
  cudaEvent_t made = nullptr;
  if (const Code code =
          code_of(cudaEventCreateWithFlags(&made, cudaEventDisableTiming), "cudaEventCreate");
      code != Code::ok)
    return code;
  *event = new (std::nothrow) Event{queue->device, made};
  if (*event != nullptr) return Code::ok;
  cudaEventDestroy(made);
  return failed(Code::out_of_memory, "no host memory for an event");
}
void destroy_event(Event* event) {
  cudaSetDevice(event->device);
  cudaEventDestroy(event->event);
  delete event;
}
Code record(Queue* queue, Event* event) {
  make_current(queue);
  return code_of(cudaEventRecord(event->event, queue->stream), "cudaEventRecord");
}
Code wait(Queue* queue, Event* event) {
  make_current(queue);
  return code_of(cudaStreamWaitEvent(queue->stream, event->event, 0), "cudaStreamWaitEvent");
}
Code wait_on_host(Event* event) {
  cudaSetDevice(event->device);
  return code_of(cudaEventSynchronize(event->event), "cudaEventSynchronize");
}

}  // namespace

cudaStream_t stream_of(Queue* queue) { return stream_or_none(queue); }
CublasHandle& handle_of(Queue* queue) { return queue->blas; }
void make_current(Queue* queue) { cudaSetDevice(queue->device); }

Code failed(Code code, const char* text) {
  std::snprintf(failure_text(), 1024, "%s", text);
  return code;
}

Code code_of(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return Code::ok;
  char text[512];
  std::snprintf(text, sizeof text, "%s: %s (%s)", what, cudaGetErrorName(result),
                cudaGetErrorString(result));
  cudaGetLastError();  // a failure that is not sticky is reported once
  return failed(result == cudaErrorMemoryAllocation ? Code::out_of_memory : Code::failure, text);
}

Runtime runtime_table() {
  return {.probe = probe,
          .describe = describe,
          .last_failure = last_failure,
          .open = open,
          .close = close,
          .synchronize = synchronize,
          .allocate = allocate,
          .release = release,
          .allocate_pinned = allocate_pinned,
          .release_pinned = release_pinned,
          .copy = copy,
          .fill = fill,
          .create_event = create_event,
          .destroy_event = destroy_event,
          .record = record,
          .wait = wait,
          .wait_on_host = wait_on_host,
          .multiply = multiply};
}

}  // namespace device
}  // namespace gemmine::cuda
