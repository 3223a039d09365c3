#pragma once

#include "factorization/loop/alternate.h"

namespace gemmine {

struct ColumnsFirstOptions {
  double kept_share;  // of the elements of each column of Ht; the others become 0
  Index patience;     // iterations without a better pair before the run ends, unless tolerance is 0
  bool refit;  // after the last iteration: H by least squares over the kept entries of the best
               // pair, then W, if this lowers the error; one more objective
};

// The same loop for a model whose iterations may raise the objective: computes H from the W of the
// iteration before, keeps only its largest elements, then computes W. At the end W and Ht hold the
// best pair.
Alternated alternate_columns_first(const Input& input, const ModelRule& rule,
                                   const LoopOptions& options, const ColumnsFirstOptions& own,
                                   Checkpoints& checkpoints, Previous previous, LoopState& state,
                                   BackendView<float> W, BackendView<float> Ht);

}  // namespace gemmine
