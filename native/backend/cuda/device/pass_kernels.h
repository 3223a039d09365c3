#pragma once

#include "backend/cuda/pass_table.h"

namespace gemmine::cuda::device {

// Elements of factors and sums: elements.cu.
Code add_to_double(Queue* queue, const AddToDouble* request);
Code scale_double(Queue* queue, const ScaleDouble* request);
Code scale(Queue* queue, const Scaled* request);
Code widen(Queue* queue, const Widened* request);
Code narrow(Queue* queue, const Narrowed* request);
Code weigh(Queue* queue, const Weighted* request);
Code pull(Queue* queue, const Pulled* request);
Code add_rows(Queue* queue, const AddRows* request);
Code independent(Queue* queue, const Independent* request);
Code scatter(Queue* queue, const Scatter* request);

// factor_shapes.cu
Code extrapolate(Queue* queue, const Extrapolate* request);
Code scale_columns(Queue* queue, const ByColumn* request);
Code add_first(Queue* queue, const ByColumn* request);
Code lift_rows(Queue* queue, const LiftRows* request);
Code clamp(Queue* queue, const Clamp* request);
Code shift(Queue* queue, const Shift* request);
Code fill_entries(Queue* queue, const Fill* request);
Code perturb(Queue* queue, const Perturb* request);
Code gather(Queue* queue, const Gather* request);
Code indicate(Queue* queue, const Indicate* request);

// sums.cu
Code sum(Queue* queue, const Sum* request);
Code exact_residual(Queue* queue, const ExactResidual* request);
Code columns(Queue* queue, const Columns* request);

// row_steps.cu
Code row_step(Queue* queue, const RowStep* request);

}  // namespace gemmine::cuda::device
