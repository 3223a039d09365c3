#pragma once

#include <napi.h>

#include "binding/to_js.h"
#include "mining/mine.h"

namespace gemmine::binding {

// Result of a search besides the arrays that it fills: NativeProof of lib/native.ts.
struct Proven {
  Proof proof;
  double seconds;
};

inline Napi::Value proven_object(Napi::Env env, const Proven& proven) {
  Napi::Object object = Napi::Object::New(env);
  object["certified"] = number(env, proven.proof.certified);
  object["fallback"] = number(env, proven.proof.fallback);
  object["zeroQueries"] = number(env, proven.proof.zero_queries);
  object["zeroRows"] = number(env, proven.proof.zero_rows);
  object["seconds"] = proven.seconds;
  return object;
}

}  // namespace gemmine::binding
