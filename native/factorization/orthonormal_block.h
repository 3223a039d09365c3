#pragma once

#include "backend/passes.h"
#include "factorization/factors.h"

namespace gemmine {

// The last columns of `basis` become orthonormal and orthogonal to those before them, up to the
// rounding of float32; all together span what they spanned. A column that depends on those before
// it becomes a random direction. `before` [f×f] is the Gram matrix of the first f columns, near the
// identity. Only small matrices cross to the host.
void orthonormalise_block(Passes& device, BackendView<float> basis,
                          const HostMatrix<double>& before, std::uint64_t seed, const Job& job);

// The same for all columns.
inline void orthonormalise_block(Passes& device, BackendView<float> basis, std::uint64_t seed,
                                 const Job& job) {
  orthonormalise_block(device, basis, HostMatrix<double>(0, 0), seed, job);
}

}  // namespace gemmine
