#pragma once

#include "core/matrix.h"

namespace gemmine::cpu {

// Backend views are host memory here.
template <class T>
HostView<T> host(BackendView<T> view) {
  return {view.data, view.rows, view.cols, view.stride};
}

}  // namespace gemmine::cpu
