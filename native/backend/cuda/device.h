#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "backend/cuda/table.h"
#include "core/error.h"
#include "core/matrix.h"

namespace gemmine::cuda {

// One GPU, as operations use it: two queues, and turns, because operations of several jobs follow
// each other.
class Device {
 public:
  Device(const Table& table, std::int32_t ordinal);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const Table& table() const { return table_; }
  const Runtime& runtime() const { return table_.runtime; }
  const std::string& name() const { return name_; }  // "cuda:0"
  DeviceDescription describe() const;

  Queue* compute() const { return compute_; }
  Queue* copies() const { return copies_; }  // of X, beside the work of compute()

  // Held for the duration of an operation.
  std::unique_lock<std::recursive_mutex> turn() const { return std::unique_lock(mutex_); }

  // Throws Error with the text of the sidecar unless `code` is ok.
  void require(Code code) const;
  // A kernel on compute().
  template <class Request>
  void run(Code (*kernel)(Queue*, const Request*), const Request& request) const {
    require(kernel(compute_, &request));
  }
  void synchronize() const { require(runtime().synchronize(compute_)); }

 private:
  // Small memory is kept for the next allocation of its size: a GPU waits for all its work before
  // it frees memory. Work on memory follows the order of one queue, so that it can be used again at
  // once.
  void* take(std::int64_t bytes);
  void give_back(void* memory, std::int64_t bytes);
  void release_kept();
  [[noreturn]] void refuse(std::int64_t bytes) const;

  const Table& table_;
  const std::int32_t ordinal_;
  const std::string name_;
  Queue* compute_ = nullptr;
  Queue* copies_ = nullptr;
  mutable std::recursive_mutex mutex_;
  std::map<std::int64_t, std::vector<void*>> kept_;  // by size

  template <class T>
  friend class Array;
  template <class T>
  friend class PinnedArray;
};

// Elements in memory of a device.
template <class T>
class Array {
 public:
  explicit Array(std::shared_ptr<Device> device, Index count = 0) : device_(std::move(device)) {
    reserve(count);
  }
  Array(std::shared_ptr<Device> device, const std::vector<T>& from)
      : Array(std::move(device), static_cast<Index>(from.size())) {
    upload(from.data(), size_);
  }
  ~Array() { release(); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  Array(Array&& other) noexcept
      : device_(other.device_),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Array& operator=(Array&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(device_, other.device_);
    return *this;
  }

  T* data() const { return data_; }
  Index size() const { return size_; }

  // At least `count` elements of any value, if there were fewer.
  void reserve(Index count) {
    if (count <= size_) return;
    release();
    data_ = static_cast<T*>(device_->take(static_cast<std::int64_t>(count * sizeof(T))));
    size_ = count;
  }

  // Both wait until the copy is done.
  void upload(const T* from, Index count) { copy(Direction::to_device, data_, from, count); }
  void download(T* to, Index count) const { copy(Direction::to_host, to, data_, count); }

  void upload(const std::vector<T>& from) {
    reserve(static_cast<Index>(from.size()));
    upload(from.data(), static_cast<Index>(from.size()));
  }
  std::vector<T> download() const { return download(size_); }
  std::vector<T> download(Index count) const {
    std::vector<T> to(static_cast<std::size_t>(count));
    download(to.data(), count);
    return to;
  }
  void clear(Index count) const {
    if (count == 0) return;
    const auto turn = device_->turn();
    device_->require(device_->runtime().fill(device_->compute(), data_, 0,
                                             static_cast<std::int64_t>(count * sizeof(T))));
  }

 private:
  void copy(Direction direction, void* to, const void* from, Index count) const {
    if (count == 0) return;
    const auto bytes = static_cast<std::int64_t>(count * sizeof(T));
    const Copy copy{direction, to, bytes, from, bytes, bytes, 1};
    const auto turn = device_->turn();
    device_->require(device_->runtime().copy(device_->compute(), &copy));
    device_->synchronize();
  }
  void release() {
    if (data_ == nullptr) return;
    device_->give_back(std::exchange(data_, nullptr),
                       static_cast<std::int64_t>(std::exchange(size_, 0) * sizeof(T)));
  }

  std::shared_ptr<Device> device_;
  T* data_ = nullptr;
  Index size_ = 0;
};

// Elements in host memory that a device copies at full speed, beside other work.
template <class T>
class PinnedArray {
 public:
  PinnedArray(std::shared_ptr<Device> device, Index count) : device_(std::move(device)) {
    const auto turn = device_->turn();
    void* memory = nullptr;
    const auto bytes = static_cast<std::int64_t>(count * sizeof(T));
    const Code code = device_->runtime().allocate_pinned(device_->compute(), bytes, &memory);
    if (code == Code::out_of_memory) device_->refuse(bytes);
    device_->require(code);
    data_ = static_cast<T*>(memory);
  }
  ~PinnedArray() {
    const auto turn = device_->turn();
    device_->runtime().release_pinned(device_->compute(), data_);
  }
  PinnedArray(const PinnedArray&) = delete;
  PinnedArray& operator=(const PinnedArray&) = delete;

  T* data() const { return data_; }

 private:
  std::shared_ptr<Device> device_;
  T* data_ = nullptr;
};

// A point in the work of a queue.
class Mark {
 public:
  explicit Mark(std::shared_ptr<Device> device);
  ~Mark();
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

  void record(Queue* queue);
  void wait(Queue* queue);  // its later work waits for the point
  void wait_on_host();      // returns at once if nothing was recorded

 private:
  std::shared_ptr<Device> device_;
  Event* event_ = nullptr;
  bool recorded_ = false;
};

}  // namespace gemmine::cuda
