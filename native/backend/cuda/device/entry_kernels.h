#pragma once

#include "backend/cuda/entry_table.h"

namespace gemmine::cuda::device {

// sparse_products.cu
Code sparse_product(Queue* queue, const SparseProduct* request);
Code wide_sparse_product(Queue* queue, const WideSparseProduct* request);
Code sparse_columns(Queue* queue, const SparseColumns* request);
Code sparse_model(Queue* queue, const SparseModel* request);
Code sparse_perturb(Queue* queue, const SparsePerturb* request);
Code densify(Queue* queue, const Densify* request);

// entry_terms.cu
Code measure_entries(Queue* queue, const MeasureEntries* request);
Code entry_terms(Queue* queue, const EntryTerms* request);

// entry_rows.cu
Code sum_row_measures(Queue* queue, const SumRowMeasures* request);
Code row_shares(Queue* queue, const RowShares* request);
Code ratio_update(Queue* queue, const RatioUpdate* request);
Code pairs(Queue* queue, const Pairs* request);
Code own_sweep(Queue* queue, const OwnSweep* request);
Code row_squares(Queue* queue, const RowSquares* request);

// centers.cu
Code centre_rows(Queue* queue, const CentreRows* request);
Code nearest_centers(Queue* queue, const NearestCenters* request);
Code cluster_sums(Queue* queue, const ClusterSums* request);
Code point_distances(Queue* queue, const PointDistances* request);

}  // namespace gemmine::cuda::device
