#include "core/error.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace gemmine {

FileFailure::FileFailure(std::string path, int number)
    : Error(ErrorCode::file, path + ": " + std::strerror(number)),
      path(std::move(path)),
      number(number) {}

void expect(bool truth, const char* what, std::source_location at) {
  if (truth) return;
  std::fprintf(stderr, "gemmine: broken expectation: %s (%s, %s:%u)\n", what, at.function_name(),
               at.file_name(), static_cast<unsigned>(at.line()));
  std::abort();
}

}  // namespace gemmine
