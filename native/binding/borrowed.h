#pragma once

#include <napi.h>

#include <utility>
#include <vector>

namespace gemmine::binding {

// JavaScript objects whose memory native code uses, kept from the garbage collector. That their
// buffers are not transferred, lib/ sees to. Lives and dies on the JavaScript thread.
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
