#pragma once

#include <napi.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "binding/job.h"

namespace gemmine::binding {

// Copies to be made into new arrays; the copy is the first access to their pages.
class PendingCopies {
 public:
  template <class T>
  Napi::Value array_for(Napi::Env env, const std::vector<T>& from) {
    auto array = Napi::TypedArrayOf<T>::New(env, from.size());
    if (!from.empty()) copies_.push_back({from.data(), array.Data(), from.size() * sizeof(T)});
    return array;
  }
  bool quick() const {
    std::size_t bytes = 0;
    for (const Copy& copy : copies_) bytes += copy.bytes;
    return bytes <= 1 << 20;
  }
  void make() const {
    for (const Copy& copy : copies_) std::memcpy(copy.to, copy.from, copy.bytes);
  }

 private:
  struct Copy {
    const void* from;
    void* to;
    std::size_t bytes;
  };
  std::vector<Copy> copies_;
};

// Returns `object`, or a promise of it, with its arrays filled. `owner` keeps the copied data
// alive. The JavaScript thread creates the arrays; large ones are filled in another job.
template <class Owner>
Napi::Value after_copies(Napi::Env env, const Napi::Object& control, const Napi::Object& object,
                         const std::shared_ptr<Owner>& owner, PendingCopies copies) {
  if (copies.quick()) {
    copies.make();
    return object;
  }
  const auto kept = std::make_shared<const Napi::ObjectReference>(Napi::Persistent(object));
  return run_job(
      env, control, Borrowed(),
      [owner, copies](const Job&) {
        copies.make();
        return true;
      },
      [kept](Napi::Env, bool) { return kept->Value(); });
}

}  // namespace gemmine::binding
