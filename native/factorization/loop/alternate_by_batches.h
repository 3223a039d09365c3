#pragma once

#include "factorization/loop/alternate.h"
#include "factorization/model.h"

namespace gemmine {

struct BatchOptions {
  Index rows;            // of a batch
  double forget_factor;  // share of older sums that is left after a read of all rows, in (0, 1]
};

// The same loop with H improved after each batch of rows, in the order of X, from sums over all
// batches so far that are forgotten exponentially. Mairal, Bach, Ponce & Sapiro (2010), "Online
// learning for matrix factorization and sparse coding", JMLR 11. Each iteration ends with a step of
// all of W, whose read also measures the pair. At the end W and Ht hold the best pair.
// docs/math/online.md.
Alternated alternate_by_batches(const Input& input, const ModelRule& rule,
                                const LoopOptions& options, const BatchOptions& batches,
                                Checkpoints& checkpoints, Previous previous, LoopState& state,
                                BackendView<float> W, BackendView<float> Ht);

}  // namespace gemmine
