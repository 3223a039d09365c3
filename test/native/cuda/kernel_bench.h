#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "backend/cuda/device.h"
#include "core/random.h"
#include "cuda/emulated.h"

// What tests of kernels share.
namespace test {

using namespace gemmine;
using namespace gemmine::cuda;

inline constexpr float guard = 12345.0f;  // of elements that a kernel must not touch

// A matrix whose rows are farther apart than they are long, on the device.
struct There {
  There(const std::shared_ptr<Device>& device, Index rows, Index cols, std::uint32_t seed,
        bool positive = false)
      : rows(rows), cols(cols), stride(cols + 3), values(rows * stride, guard), array(device) {
    const CounterRandom random(7, seed);
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < cols; ++j) {
        const auto x = static_cast<float>(random.normal(i, static_cast<std::uint32_t>(j)));
        values[i * stride + j] = positive ? std::abs(x) + 0.05f : x;
      }
    array.upload(values);
  }
  float operator()(Index i, Index j) const { return values[i * stride + j]; }
  In in() const { return {array.data(), stride}; }
  Out out() const { return {array.data(), stride}; }
  // The elements now; those between the rows are as they were.
  std::vector<float> now(const char* what) const {
    const std::vector<float> all = array.download();
    std::vector<float> found;
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < cols; ++j) found.push_back(all[i * stride + j]);
      for (Index j = cols; j < stride; ++j)
        check(all[i * stride + j] == guard, std::string(what) + " left its rows");
    }
    return found;
  }
  Index rows, cols, stride;
  std::vector<float> values;
  Array<float> array;
};

struct Bench {
  std::shared_ptr<Device> device = emulated_device();
  const PassTable& kernels = device->table().passes;
  template <class Request>
  void run(Code (*kernel)(Queue*, const Request*), const Request& request) {
    device->require(kernel(device->compute(), &request));
  }
};

template <class Expected>
void expect_entries(const There& of, const char* what, double tolerance, const Expected& expected) {
  const std::vector<float> found = of.now(what);
  for (Index i = 0; i < of.rows; ++i)
    for (Index j = 0; j < of.cols; ++j)
      near(found[i * of.cols + j], expected(i, j), tolerance, what);
}

}  // namespace test
