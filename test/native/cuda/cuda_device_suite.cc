// The table of the sidecar on the emulated GPU: memory, copies, marks, products, failures.
#include <string>
#include <utility>
#include <vector>

#include "backend/cuda/device.h"
#include "backend/cuda/library.h"
#include "emulated.h"

namespace {

using namespace test;
using namespace gemmine;
using namespace gemmine::cuda;

void memory_keeps_what_is_copied() {
  const auto device = emulated_device();
  std::vector<double> numbers(1000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i) / 3;
  const Array<double> there(device, numbers);
  const std::vector<double> back = there.download();
  same_bits(back.data(), numbers.data(), numbers.size(), "a copy there and back");
}

void kernels_add_float32_sums_to_float64_ones() {
  const auto device = emulated_device();
  const Index rows = 37, cols = 5, stride = 8;
  std::vector<float> from(rows * stride, 1e9f);
  std::vector<double> to(rows * cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j) from[i * stride + j] = static_cast<float>(i - 3 * j);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<double>(i);
  const Array<float> block(device, from);
  const Array<double> sums(device, to);
  const AddToDouble request{rows, cols, block.data(), stride, 0.5, sums.data()};
  device->require(device->table().passes.add_to_double(device->compute(), &request));
  const std::vector<double> found = sums.download();
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j) {
      const double expected = to[i * cols + j] + 0.5 * from[i * stride + j];
      check(found[i * cols + j] == expected, "an added sum");
    }
}

// C = 2·op(A)·op(B) + 3·C in float32 or float64.
template <class T>
void check_product(bool ta, bool tb, Number number, double tolerance) {
  const auto device = emulated_device();
  const Index m = 5, n = 7, k = 11;
  std::vector<T> A(m * k), B(k * n), C(m * n, T(1));
  for (std::size_t i = 0; i < A.size(); ++i) A[i] = static_cast<T>(i % 7) - 3;
  for (std::size_t i = 0; i < B.size(); ++i) B[i] = static_cast<T>(i % 5) / 4;
  const Array<T> a(device, A), b(device, B), c(device, C);
  const Product product{.number = number,
                        .transpose_a = ta,
                        .transpose_b = tb,
                        .m = m,
                        .n = n,
                        .k = k,
                        .alpha = 2,
                        .A = a.data(),
                        .stride_a = ta ? m : k,
                        .B = b.data(),
                        .stride_b = tb ? k : n,
                        .beta = 3,
                        .C = c.data(),
                        .stride_c = n};
  device->require(device->runtime().multiply(device->compute(), &product));
  const std::vector<T> found = c.download();
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j) {
      double sum = 0;
      for (Index t = 0; t < k; ++t)
        sum += double{A[ta ? t * m + i : i * k + t]} * B[tb ? j * k + t : t * n + j];
      near(found[i * n + j], 2 * sum + 3, tolerance, "a product");
    }
}

void products_are_row_major() {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      check_product<float>(ta, tb, Number::float32, 1e-4);
      check_product<float>(ta, tb, Number::tf32, 1e-2);
      check_product<double>(ta, tb, Number::float64, 1e-12);
    }
}

void memory_that_does_not_fit_is_an_error_with_its_bytes() {
  const auto device = emulated_device();
  emulation::runtime_options.device_bytes = 1 << 20;
  throws<Error>([&] { Array<float>(device, 1 << 20); },
                [](const Error& error) {
                  check(error.code == ErrorCode::out_of_memory, "the code of an allocation");
                  const std::string text = error.what();
                  check(text.find("4194304 bytes") != std::string::npos, text);
                  check(text.find("of its 1048576 bytes are free") != std::string::npos, text);
                },
                "an allocation beyond the device");
  emulation::runtime_options.device_bytes = std::size_t{1} << 31;
}

void host_pointers_are_refused_by_the_emulation() {
  const auto device = emulated_device();
  std::vector<float> host(4);
  const Array<double> to(device, 4);
  const AddToDouble request{1, 4, host.data(), 4, 1, to.data()};
  throws<Error>(
      [&] {
        device->require(device->table().passes.add_to_double(device->compute(), &request));
        device->synchronize();
      },
      [](const Error& error) { check(error.code == ErrorCode::device_failure, error.what()); },
      "a kernel with a pointer of the host");
  check(!emulation::last_failure().empty(), "the emulation keeps the failure");
  emulation::forget_failure();
}

void without_cublas_a_product_says_what_was_tried() {
  const auto device = emulated_device();
  const Array<float> one(device, 1);
  const Product product{Number::float32, 0, 0,          1, 1, 1,          1,
                        one.data(),      1, one.data(), 1, 0, one.data(), 1};
  emulation::blas_present = false;
  throws<Error>([&] { device->require(device->runtime().multiply(device->compute(), &product)); },
                [](const Error& error) {
                  check(error.code == ErrorCode::device_unavailable, "the code of a library");
                  const std::string text = error.what();
                  check(text.find("libcublas.so.13") != std::string::npos, text);
                },
                "a product without cuBLAS");
  emulation::blas_present = true;
}

Listed only_device() {
  const std::vector<Listed> devices = devices_of(*gemmine_cuda_table(), "emulated");
  check(devices.size() == 1, "one device is listed");
  return devices.at(0);
}

void a_gpu_without_code_for_it_is_not_listed_as_available() {
  const auto reason_of = [](int major, int minor) {
    emulation::runtime_options.major = major;
    emulation::runtime_options.minor = minor;
    const Listed device = only_device();
    check(device.name == "cuda:0", device.name);
    return device.reason;
  };
  for (const auto& [major, minor] :
       {std::pair{8, 0}, {8, 6}, {8, 9}, {9, 0}, {10, 0}, {10, 3}, {12, 0}, {12, 1}})
    check(reason_of(major, minor).empty(), reason_of(major, minor));
  for (const auto& [major, minor] : {std::pair{7, 5}, {11, 0}, {13, 0}})
    check(
        reason_of(major, minor) ==
            "host emulation has compute capability " + std::to_string(major) + "." +
                std::to_string(minor) +
                ", and gemmine has code for 8.0, 9.0, 10.0, 12.0 and later minor versions of these",
        reason_of(major, minor));
  emulation::runtime_options.major = 9;
  emulation::runtime_options.minor = 0;
}

void an_older_driver_of_the_same_major_version_is_not_refused() {
  emulation::runtime_options.runtime_version = 13020;
  emulation::runtime_options.driver_version = 13000;
  check(only_device().reason.empty(), only_device().reason);
  emulation::runtime_options.driver_version = 12090;
  const Listed refused = only_device();
  check(refused.name == "cuda", refused.name);
  check(
      refused.reason.starts_with(
          "the NVIDIA driver is for CUDA 12.9, and gemmine needs one for 13.0 (backend: emulated"),
      refused.reason);
  emulation::runtime_options.driver_version = emulation::runtime_options.runtime_version = 13000;
}

}  // namespace

int main() {
  memory_keeps_what_is_copied();
  kernels_add_float32_sums_to_float64_ones();
  products_are_row_major();
  memory_that_does_not_fit_is_an_error_with_its_bytes();
  host_pointers_are_refused_by_the_emulation();
  without_cublas_a_product_says_what_was_tried();
  a_gpu_without_code_for_it_is_not_listed_as_available();
  an_older_driver_of_the_same_major_version_is_not_refused();
  check_emulation("the device suite");
  return report("cuda device");
}
