#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "check.h"
#include "core/error.h"

namespace test {

// The device that GEMMINE_TEST_DEVICE names, as "cuda:0"; null if it is not set.
inline const char* chosen_device() { return std::getenv("GEMMINE_TEST_DEVICE"); }

// With GEMMINE_TEST_DEVICE, runs `suite` on this device alone and ends the process.
template <class Suite>
void on_chosen_device(const Suite& suite) {
  const char* name = chosen_device();
  if (name == nullptr) return;
  int status = EXIT_SUCCESS;
  try {
    suite(std::string(name));
    status = report(name);
  } catch (const gemmine::Error& error) {
    if (error.code != gemmine::ErrorCode::device_unavailable) throw;
    std::printf("skipped: no CUDA device (%s)\n", error.what());
  }
  std::fflush(nullptr);
  std::_Exit(status);  // threads of the pool may wait
}

}  // namespace test
