#pragma once

#include "factorization/fit.h"
#include "factorization/shared_reads.h"

namespace gemmine {

struct HeldOut {
  double error;  // mean loss of an entry that was held out, weighted as rows are; NaN if none is
  Index iterations;
};

// Fits X without the entries that options.mask holds out, and measures the fit on these.
// docs/math/select-rank.md.
HeldOut held_out_error(Passes& backend, const RowSource& X, const FitOptions& options, Index k,
                       const Job& job, SharedReads* shared);

}  // namespace gemmine
