#include "backend/cuda/device/pass_kernels.h"
#include "backend/cuda/device/runtime.h"

namespace gemmine::cuda::device {

PassTable pass_table() {
  return {.add_to_double = add_to_double,
          .scale_double = scale_double,
          .scale = scale,
          .widen = widen,
          .narrow = narrow,
          .weigh = weigh,
          .pull = pull,
          .add_rows = add_rows,
          .extrapolate = extrapolate,
          .scale_columns = scale_columns,
          .add_first = add_first,
          .lift_rows = lift_rows,
          .clamp = clamp,
          .shift = shift,
          .fill = fill_entries,
          .perturb = perturb,
          .gather = gather,
          .indicate = indicate,
          .sum = sum,
          .exact_residual = exact_residual,
          .columns = columns,
          .row_step = row_step,
          .independent = independent,
          .scatter = scatter};
}

}  // namespace gemmine::cuda::device
