#pragma once

#include <napi.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "core/matrix.h"

namespace gemmine::binding {

inline Napi::Number number(Napi::Env env, Index value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

// A typed array with a copy of the elements. Only for a few: the copy blocks the JavaScript thread.
template <class T>
Napi::TypedArrayOf<T> array_of(Napi::Env env, std::span<const T> elements) {
  auto array = Napi::TypedArrayOf<T>::New(env, elements.size());
  std::ranges::copy(elements, array.Data());
  return array;
}

inline Napi::Array strings(Napi::Env env, const std::vector<std::string>& texts) {
  Napi::Array array = Napi::Array::New(env, texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) array[static_cast<std::uint32_t>(i)] = texts[i];
  return array;
}

}  // namespace gemmine::binding
