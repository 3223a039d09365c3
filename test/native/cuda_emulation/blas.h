#pragma once

// cuBLAS over OpenBLAS: see device/cublas.h.
namespace emulation {

// Adds to each product of float16 factors the worst error that a scan's bound leaves to it, times
// this, of random sign: in units of d·2^-21·‖a‖‖b‖.
extern double product_error;

// Without it find_cublas says that nothing was found.
extern bool blas_present;

}  // namespace emulation
