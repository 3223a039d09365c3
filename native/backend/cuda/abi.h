#pragma once

#include <cstdint>

// Values that cross the border to gemmine_cuda.so: plain data, no C++ type and no exception. A
// failure is a code, and a text that Runtime::last_failure returns.
namespace gemmine::cuda {

// Raised with every change of a struct that crosses.
inline constexpr std::int32_t abi_version = 2;

enum class Code : std::int32_t { ok, out_of_memory, failure, unavailable };

// Work of one device, done in order: a stream, and a cuBLAS handle that is made on first use.
struct Queue;
struct Event;

struct Probe {
  std::int32_t devices;
  std::int32_t driver_version;   // 13000 is 13.0; 0: no driver
  std::int32_t runtime_version;  // that the sidecar was linked with
  std::int32_t blas_found;       // 0 or 1
  char driver[512];              // why there is no device
  char blas[4096];               // the file of cuBLAS, or each file tried with its reason
};

struct DeviceDescription {
  char name[256];
  std::int64_t memory;  // bytes
  std::int64_t free;
  std::int32_t major;
  std::int32_t minor;
  std::int32_t multiprocessors;
};

// Of the factors of a product, and of its result. tf32: float32 in memory, whose factors are
// rounded to 11 bits. float16: factors; the result is float32.
enum class Number : std::int32_t { float32, tf32, float16, float64 };

// C [m×n] = alpha·op(A)·op(B) + beta·C, all row-major; op(A) is [m×k]. Strides are in elements.
struct Product {
  Number number;
  std::int32_t transpose_a;  // A is [k×m]
  std::int32_t transpose_b;  // B is [n×k]
  std::int64_t m, n, k;
  double alpha;
  const void* A;
  std::int64_t stride_a;
  const void* B;
  std::int64_t stride_b;
  double beta;
  void* C;
  std::int64_t stride_c;
};

enum class Direction : std::int32_t { to_device, to_host, within };

// Rows of a matrix. Host memory must stay as it is until the queue has done the copy.
struct Copy {
  Direction direction;
  void* to;
  std::int64_t to_stride;  // bytes from one row to the next
  const void* from;
  std::int64_t from_stride;
  std::int64_t width;  // bytes of a row
  std::int64_t rows;
};

}  // namespace gemmine::cuda
