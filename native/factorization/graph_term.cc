#include "factorization/graph_term.h"

#include <algorithm>
#include <cmath>

namespace gemmine {
namespace {

// Steps compute in float32. A larger weight has the same effect: X no longer matters for a row with
// neighbours.
constexpr double largest_weight = 1e20;

// Scaling by row and by column may make entries differ by this much.
constexpr float rounding = 1e-6f;

}  // namespace

GraphTerm::GraphTerm(Passes& device, const RowSource& adjacency, double weight, Index k,
                     const Job& job)
    : adjacency_(device, {.X = adjacency, .sign = EntrySign::nonnegative}, job),
      weight_(std::ldexp(weight, adjacency_.exponent())),
      neighbours_(device, adjacency.rows(), k),
      degrees_(device, adjacency.rows(), 1) {
  device.check_symmetric(adjacency, rounding, job);
  const BackendMatrix ones(device, adjacency.rows(), 1);
  device.shift(1, ones.view(), job);
  (*adjacency_).multiply(ones.view(), degrees_.view());
}

void GraphTerm::follow(BackendView<const float> W, const Job& job) {
  (*adjacency_).with_job(job).multiply(W, neighbours_.view());
}

RowAddend GraphTerm::addend() const {
  return {std::min(weight_, largest_weight), neighbours_.view(), degrees_.view()};
}

double GraphTerm::penalty(BackendView<const float> W, const Job& job) const {
  const RowAddend whole{weight_, neighbours_.view(), degrees_.view()};
  return std::max(0.0, (*adjacency_).backend.energy(whole, W, job));
}

}  // namespace gemmine
