#pragma once

#include <functional>
#include <span>

#include "backend/entries.h"
#include "factorization/shared_reads.h"

namespace gemmine {

// One of several factorizations of X that differ in their noise and everything else but X.
struct Participant {
  const RowSource& noisy;  // what it reads: X with `noise`, or X itself
  Noise noise;
  std::function<void(SharedReads* shared)> factorize;  // with null: alone
};

// Runs them all. They stop at each pass, and those over the same rows, with the same loss and
// weights, become one read of X with a group for each. Results have the bits of separate runs.
// Throws what the first of them throws.
//
// Each runs on a thread of its own, only one at a time: a factorization is a long function that
// stops in the middle. A participant whose thread the system refuses runs alone, after the others.
void factorize_side_by_side(Passes& backend, const RowSource& X,
                            std::span<const Participant> participants, const Job& job);

}  // namespace gemmine
