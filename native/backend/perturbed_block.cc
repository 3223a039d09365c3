#include "backend/perturbed_block.h"

#include <algorithm>

namespace gemmine {
namespace {

// A shorter vector would end the life of elements that are still to be read.
void make_room(Index count, std::vector<float>& memory) {
  const auto needed = static_cast<std::size_t>(std::max<Index>(1, count));
  if (memory.size() < needed) memory.resize(needed);
}

}  // namespace

void perturb(const NoisyRun& run, const Noise& noise, float* to) {
  for (Index t = 0; t < run.count; ++t)
    to[t] = perturbed(run.x[t], noise, run.row, run.columns ? Index{run.columns[t]} : t);
}

RowBlock perturbed_block(const RowBlock& block, const Noise& noise, std::vector<float>& memory,
                         Perturb perturb) {
  if (noise.amplitude == 0) return block;
  RowBlock to = block;
  if (block.dense.data != nullptr) {
    const HostView<const float> from = block.dense;
    make_room(from.rows * from.cols, memory);
    for (Index i = 0; i < from.rows; ++i)
      perturb({from.row(i), from.cols, block.begin + i, nullptr}, noise,
              memory.data() + i * from.cols);
    to.dense = {memory.data(), from.rows, from.cols, from.cols};
    return to;
  }
  const auto first = static_cast<Index>(block.indptr[0]);
  make_room(static_cast<Index>(block.indptr[block.count]) - first, memory);
  for (Index i = 0; i < block.count; ++i) {
    const auto at = static_cast<Index>(block.indptr[i]);
    const Index count = static_cast<Index>(block.indptr[i + 1]) - at;
    perturb({block.values + at, count, block.begin + i, block.indices + at}, noise,
            memory.data() + (at - first));
  }
  to.values = memory.data() - first;
  return to;
}

}  // namespace gemmine
