#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>

#include "backend/passes.h"
#include "check.h"
#include "csr.h"
#include "oracle.h"

// What the suites of backends share.
namespace test {

using namespace gemmine;
using oracle::Matrix;

inline Job job_of(Index threads) { return {.cancellation = {}, .report = {}, .threads = threads}; }

// A factor in the device's memory.
class Factor {
 public:
  Factor(Passes& backend, const Matrix& values)
      : backend_(backend),
        memory_(backend.allocate(values.rows * values.cols)),
        view_{memory_.get(), values.rows, values.cols, values.cols} {
    const std::vector<float> floats = values.floats();
    backend.upload({floats.data(), values.rows, values.cols, values.cols}, view_);
  }
  BackendView<float> view() const { return view_; }
  std::vector<float> floats() const {
    std::vector<float> out(view_.rows * view_.cols);
    backend_.download(view_, {out.data(), view_.rows, view_.cols, view_.cols});
    return out;
  }
  Matrix matrix() const {
    const std::vector<float> out = floats();
    return {view_.rows, view_.cols, {out.begin(), out.end()}};
  }

 private:
  Passes& backend_;
  std::shared_ptr<float[]> memory_;
  BackendView<float> view_;
};

inline double largest(const std::vector<double>& values) {
  double out = 0;
  for (double x : values) out = std::max(out, std::abs(x));
  return out;
}

inline void close(const std::vector<double>& actual, const std::vector<double>& expected,
                  double tolerance, const std::string& what,
                  std::source_location at = std::source_location::current()) {
  const double unit = std::max(largest(expected), 1e-300);
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    worst = std::max(worst, std::abs(actual[i] - expected[i]) / unit);
  // A NaN makes the maximum pass by; it shows in the sum.
  double sum = 0;
  for (double x : actual) sum += x;
  check(std::isfinite(sum) && actual.size() == expected.size(), what + " is finite", at);
  near(worst, 0, tolerance, what, at);
}

inline Matrix gram_of(const Matrix& F) { return oracle::multiply(oracle::transpose(F), F); }

inline NormalMatrix normal_of(const Matrix& F, double l2 = 0, bool solvable = false) {
  return NormalMatrix(gram_of(F).data, F.cols, l2, solvable);
}

// A file that is gone at the end of the scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes) : file_(std::tmpfile()) {
    std::fwrite(bytes.data(), 1, bytes.size(), file_);
    std::fflush(file_);
  }
  ~TemporaryFile() { std::fclose(file_); }
  TemporaryFile(const TemporaryFile&) = delete;
  int descriptor() const { return fileno(file_); }

 private:
  std::FILE* file_;
};

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace test
