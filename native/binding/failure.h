#pragma once

#include <napi.h>

#include <exception>

namespace gemmine::binding {

// Converts a C++ exception to a JavaScript error, which lib/native.ts turns into a public error by
// its `code`: ERR_GEMMINE_* (with path and errno after a system error on a file), CANCELLED, or
// INVALID_ENTRY with argument, row, column, value and expected.
Napi::Value to_js_error(Napi::Env env, const std::exception_ptr& failure);

// The error for the use of a prepared corpus after dispose().
Napi::Value disposed_error(Napi::Env env);

}  // namespace gemmine::binding
