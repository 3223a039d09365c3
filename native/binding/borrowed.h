#pragma once

#include <napi.h>

#include <utility>
#include <vector>

namespace gemmine::binding {

// JavaScript objects whose memory native code uses, kept from the garbage collector. Nothing can
// keep them from being transferred, which is documented. Lives and dies on the JavaScript thread.
class Borrowed {
 public:
  void keep(const Napi::Object& object) { kept_.push_back(Napi::Persistent(object)); }
  void keep(const Borrowed& others) {
    for (const Napi::ObjectReference& object : others.kept_) keep(object.Value());
  }
  void release() { kept_.clear(); }

 private:
  std::vector<Napi::ObjectReference> kept_;
};

}  // namespace gemmine::binding
