#include "backend/cuda/device/entry_kernels.h"
#include "backend/cuda/device/runtime.h"

namespace gemmine::cuda::device {

EntryTable entry_table() {
  return {.sparse_product = sparse_product,
          .wide_sparse_product = wide_sparse_product,
          .sparse_columns = sparse_columns,
          .sparse_model = sparse_model,
          .sparse_perturb = sparse_perturb,
          .densify = densify,
          .measure_entries = measure_entries,
          .sum_row_measures = sum_row_measures,
          .row_shares = row_shares,
          .entry_terms = entry_terms,
          .ratio_update = ratio_update,
          .pairs = pairs,
          .own_sweep = own_sweep,
          .row_squares = row_squares,
          .centre_rows = centre_rows,
          .nearest_centers = nearest_centers,
          .cluster_sums = cluster_sums,
          .point_distances = point_distances};
}

}  // namespace gemmine::cuda::device
