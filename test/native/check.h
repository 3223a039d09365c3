#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <string>

// What suites need: a check says where it failed and goes on; main returns report().
namespace test {

#ifdef __SANITIZE_THREAD__
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = false;
#endif

#ifdef __SANITIZE_ADDRESS__
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer = false;
#endif

inline int failures = 0;
inline int checks = 0;

inline bool check(bool truth, const std::string& what,
                  std::source_location at = std::source_location::current()) {
  ++checks;
  if (truth) return true;
  if (++failures <= 20)
    std::fprintf(stderr, "%s:%u: %s\n", at.file_name(), static_cast<unsigned>(at.line()),
                 what.c_str());
  return false;
}

inline bool near(double actual, double expected, double tolerance, const std::string& what,
                 std::source_location at = std::source_location::current()) {
  char text[160];
  std::snprintf(text, sizeof text, "%.12g, expected %.12g within %.3g: ", actual, expected,
                tolerance);
  return check(std::abs(actual - expected) <= tolerance, text + what, at);
}

template <class T>
bool same_bits(const T* a, const T* b, std::size_t count, const std::string& what,
               std::source_location at = std::source_location::current()) {
  return check(std::memcmp(a, b, count * sizeof(T)) == 0, what, at);
}

// Whether `body` throws an E; the exception goes to `look`.
template <class E, class Body, class Look>
void throws(Body body, Look look, const std::string& what,
            std::source_location at = std::source_location::current()) {
  try {
    body();
  } catch (const E& error) {
    look(error);
    return;
  }
  check(false, what + ": nothing was thrown", at);
}

inline int report(const char* suite) {
  std::printf("%s: %d checks, %d failures\n", suite, checks, failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace test
