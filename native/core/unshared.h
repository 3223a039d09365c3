#pragma once

#include <memory>

namespace gemmine {

// The object of a pointer, as one that no other pointer shares: a copy of it, if others do. Only
// the owner of a pointer copies it, so that one that is not shared stays so.
template <class T>
T& unshared(std::shared_ptr<T>& pointer) {
  if (pointer.use_count() > 1) {
    pointer = std::make_shared<T>(*pointer);
  } else {
    // The count is a relaxed load. Giving up one more copy comes after those of other threads, and
    // so after what these read.
    std::shared_ptr<T>(pointer).reset();
  }
  return *pointer;
}

}  // namespace gemmine
