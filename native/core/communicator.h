#pragma once

#include <span>
#include <vector>

#include "core/matrix.h"

namespace gemmine {

// The ranks that compute one result together, each with its own rows and its own device. Every rank
// makes the same calls in the same order, from one thread at a time, and a call returns when all
// ranks have made it. An implementation over a transport, such as MPI, belongs to a program that
// starts the ranks: this package has none. If a rank leaves with an exception or ends, the
// transport must let the waiting calls of the others throw, or end their processes.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual Index rank() const = 0;  // in 0..size() − 1
  virtual Index size() const = 0;

  // values[i] becomes ((v_0 + v_1) + v_2) + … over the v of all ranks in the order of ranks, so
  // that every rank receives the same bits. The same number of values on every rank.
  virtual void allreduce(std::span<double> values) = 0;

  // The values of rank 0, then those of rank 1, and so on. The same number on every rank.
  virtual std::vector<double> allgather(std::span<const double> values) = 0;

  virtual void barrier() = 0;
};

// The only rank. Sums and lists are those of its own values.
Communicator& single_process();

}  // namespace gemmine
