#pragma once

#include <napi.h>

#include <utility>
#include <vector>

namespace gemmine::binding {

// Keeps JavaScript objects alive whose memory native code uses. lib/ prevents the transfer of their
// buffers. Created and destroyed on the JavaScript thread.
class Borrowed {
 public:
  Borrowed() = default;
  // Keeps nothing: for a call that ends before its arguments can be freed.
  static Borrowed for_this_call() {
    Borrowed borrowed;
    borrowed.keeps_ = false;
    return borrowed;
  }

  void keep(const Napi::Object& object) {
    if (keeps_) kept_.push_back(Napi::Persistent(object));
  }
  void keep(const Borrowed& others) {
    for (const Napi::ObjectReference& object : others.kept_) keep(object.Value());
  }
  void release() { kept_.clear(); }

 private:
  bool keeps_ = true;
  std::vector<Napi::ObjectReference> kept_;
};

}  // namespace gemmine::binding
