#pragma once

#include <napi.h>

#include <exception>

namespace gemmine::binding {

// What a C++ exception is to JavaScript. lib/native.ts makes the public error of it by its `code`:
// ERR_GEMMINE_* (of a file with path and errno, where the system failed), CANCELLED, or
// INVALID_ENTRY with argument, row, column, value and expected.
Napi::Value to_js_error(Napi::Env env, const std::exception_ptr& failure);

// For the use of a prepared corpus after its dispose().
Napi::Value disposed_error(Napi::Env env);

}  // namespace gemmine::binding
