#pragma once

#include <algorithm>

#include "core/matrix.h"

// Sizes that decide how much memory a factorization takes. lib/factorization/memory.ts gets them
// from here.
namespace gemmine {

// Columns beside the rank in the singular vectors of a start.
inline constexpr Index start_oversamples = 10;

// Columns of X that inverse_transform forms at the same time.
inline constexpr Index columns_at_once = 256;

// Rows in the sample of a clustering, if X has as many.
inline Index clustering_sample(Index clusters) { return std::max<Index>(1024, 16 * clusters); }

// Rows far from the centres that are drawn beside a sample of twice as many; see first_centers().
inline Index far_rows_drawn(Index clusters) { return std::max<Index>(512, 4 * clusters); }

// Whether X has so many more rows than the sample that the iterations on the sample cost little.
inline bool sample_is_small(Index rows, Index clusters) {
  return rows >= 4 * clustering_sample(clusters);
}

// Whether seeds are drawn from all rows: up to a number of rows and of products of a row with a
// centre. `entries` are those of X, or its non-zeros.
inline bool seeds_from_all_rows(Index rows, double entries, Index clusters) {
  constexpr Index most_rows = Index{1} << 18;
  constexpr double most_products = 0x1p27;
  constexpr double beside = 8;  // overhead per row and centre, in products
  return rows <= clustering_sample(clusters) ||
         (rows <= most_rows &&
          (entries + beside * static_cast<double>(rows)) * static_cast<double>(clusters) <=
              most_products);
}

}  // namespace gemmine
