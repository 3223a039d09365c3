#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

#include "core/matrix.h"

namespace gemmine {

enum class ErrorCode {
  invalid_entry,
  file,
  out_of_memory,
  device_unavailable,
  device_failure,
  busy,
  disposed,
  changed
};

// A failure caused by the caller or the environment; the binding turns it into a JavaScript error.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code(code) {}
  const ErrorCode code;
};

// A system error on a file.
class FileFailure : public Error {
 public:
  FileFailure(std::string path, int number);
  const std::string path;  // as the caller gave it
  const int number;        // errno
};

// An invalid entry of an input: not finite, or negative for NMF.
class InvalidEntry : public Error {
 public:
  InvalidEntry(std::string argument, Index row, Index column, double value, std::string expected,
               std::string digits = "")
      : Error(ErrorCode::invalid_entry, "invalid entry"),
        argument(std::move(argument)),
        row(row),
        column(column),
        value(value),
        expected(std::move(expected)),
        digits(std::move(digits)) {}
  const std::string argument;  // as lib/ names it: X, queries, corpus
  const Index row;
  const Index column;
  const double value;
  const std::string expected;  // "a finite number"
  const std::string digits;    // of a value that float64 cannot represent; else empty
};

// An invalid element of a list.
class InvalidElement : public Error {
 public:
  InvalidElement(std::string argument, double value, std::string expected)
      : Error(ErrorCode::invalid_entry, "invalid element"),
        argument(std::move(argument)),
        value(value),
        expected(std::move(expected)) {}
  const std::string argument;  // as lib/ names it: exclude.indices[3]
  const double value;
  const std::string expected;  // "a corpus row in 0..9"
};

// Thrown by Cancellation::check(); the binding rejects with the signal's reason.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

// Ends the process if `truth` is false: that is a bug of gemmine, and results would be wrong.
void expect(bool truth, const char* what,
            std::source_location at = std::source_location::current());

}  // namespace gemmine
