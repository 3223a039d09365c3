#pragma once

#include <napi.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace gemmine::binding {

// An invalid argument that lib/ has accepted, because it changed after the call.
struct Refusal : std::invalid_argument {
  Refusal(std::string expected, std::string argument)
      : std::invalid_argument("Expected " + expected + " for " + argument),
        expected(std::move(expected)),
        argument(std::move(argument)) {}
  const std::string expected, argument;
};

Napi::Error refusal_error(Napi::Env env, const Refusal& refusal);

// Converts a C++ exception to a JavaScript error, which lib/native.ts turns into a public error by
// its `code`: ERR_GEMMINE_* (with path and errno after a system error on a file), CANCELLED,
// INVALID_ENTRY with argument, row, column, value and expected, or REFUSED with argument and
// expected.
Napi::Value to_js_error(Napi::Env env, const std::exception_ptr& failure);

// The error for the use of a prepared corpus after dispose().
Napi::Value disposed_error(Napi::Env env);

}  // namespace gemmine::binding
