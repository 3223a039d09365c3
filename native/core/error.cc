#include "core/error.h"

#include <cstdio>
#include <cstdlib>

namespace gemmine {

void expect(bool truth, const char* what, std::source_location at) {
  if (truth) return;
  std::fprintf(stderr, "gemmine: broken expectation: %s (%s, %s:%u)\n", what, at.function_name(),
               at.file_name(), static_cast<unsigned>(at.line()));
  std::abort();
}

}  // namespace gemmine
