#pragma once

#include <memory>

#include "backend/backend.h"
#include "backend/cpu/kernels.h"

namespace gemmine::cpu {

// OpenBLAS products, kernels for one instruction set, and the process's pool.
std::unique_ptr<Backend> make_backend(const Kernels& kernels);

// Backend views are host memory here.
template <class T>
HostView<T> host(BackendView<T> view) {
  return {view.data, view.rows, view.cols, view.stride};
}

// The bodies of the operations that read X.
SourceNorm examine(const Kernels& kernels, const RowSource& X, bool nonnegative, const Job& job);
void run_pass(Backend& backend, const Kernels& kernels, const Pass& pass, PassSums& sums,
              const Job& job);

}  // namespace gemmine::cpu
