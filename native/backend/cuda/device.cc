#include "backend/cuda/device.h"

#include <bit>
#include <new>

namespace gemmine::cuda {

Device::Device(const Table& table, std::int32_t ordinal)
    : table_(table), ordinal_(ordinal), name_("cuda:" + std::to_string(ordinal)) {
  require(runtime().open(ordinal, &compute_));
  const Code code = runtime().open(ordinal, &copies_);
  if (code == Code::ok) return;
  const std::string text = runtime().last_failure();
  runtime().close(compute_);
  throw Error(ErrorCode::device_failure, name_ + ": " + text);
}

Device::~Device() {
  release_kept();
  runtime().close(copies_);
  runtime().close(compute_);
}

DeviceDescription Device::describe() const {
  DeviceDescription description;
  require(runtime().describe(ordinal_, &description));
  return description;
}

void Device::require(Code code) const {
  if (code == Code::ok) return;
  const std::string text = name_ + ": " + runtime().last_failure();
  switch (code) {
    case Code::out_of_memory:
      throw Error(ErrorCode::out_of_memory, text);
    case Code::unavailable:
      throw Error(ErrorCode::device_unavailable, text);
    default:
      throw Error(ErrorCode::device_failure, text);
  }
}

namespace {

constexpr std::int64_t small = 1 << 20;

// Sizes that are kept: powers of two.
std::int64_t rounded(std::int64_t bytes) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(bytes)));
}

}  // namespace

void* Device::take(std::int64_t bytes) {
  const auto turn = this->turn();
  const std::int64_t size = bytes <= small ? rounded(bytes) : bytes;
  if (const auto kept = kept_.find(size); kept != kept_.end() && !kept->second.empty()) {
    void* memory = kept->second.back();
    kept->second.pop_back();
    return memory;
  }
  void* memory = nullptr;
  Code code = runtime().allocate(compute_, size, &memory);
  if (code == Code::out_of_memory) {
    release_kept();
    code = runtime().allocate(compute_, size, &memory);
  }
  if (code == Code::out_of_memory) refuse(size);
  require(code);
  return memory;
}

void Device::give_back(void* memory, std::int64_t bytes) {
  const auto turn = this->turn();
  if (bytes > small) return runtime().release(compute_, memory);
  try {
    kept_[rounded(bytes)].push_back(memory);
  } catch (const std::bad_alloc&) {
    runtime().release(compute_, memory);
  }
}

void Device::release_kept() {
  for (auto& [size, kept] : kept_)
    for (void* memory : kept) runtime().release(compute_, memory);
  kept_.clear();
}

void Device::refuse(std::int64_t bytes) const {
  DeviceDescription now;
  std::string free;
  if (runtime().describe(ordinal_, &now) == Code::ok)
    free = ": " + std::to_string(now.free) + " of its " + std::to_string(now.memory) +
           " bytes are free";
  throw Error(ErrorCode::out_of_memory,
              name_ + " cannot allocate " + std::to_string(bytes) + " bytes" + free);
}

Mark::Mark(std::shared_ptr<Device> device) : device_(std::move(device)) {
  const auto turn = device_->turn();
  device_->require(device_->runtime().create_event(device_->compute(), &event_));
}
Mark::~Mark() {
  const auto turn = device_->turn();
  device_->runtime().destroy_event(event_);
}
void Mark::record(Queue* queue) {
  device_->require(device_->runtime().record(queue, event_));
  recorded_ = true;
}
void Mark::wait(Queue* queue) {
  if (recorded_) device_->require(device_->runtime().wait(queue, event_));
}
void Mark::wait_on_host() {
  if (recorded_) device_->require(device_->runtime().wait_on_host(event_));
}

}  // namespace gemmine::cuda
