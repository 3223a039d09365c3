#include "factorization/loop/reseeding.h"

#include <algorithm>
#include <cmath>

namespace gemmine {
namespace {

constexpr Index sample_size = 1024;
constexpr Index most_attempts = 3;

// The residuals of a sample of rows.
class Residuals {
 public:
  Residuals(const RowSample& sample, const Input& input, BackendView<const float> W,
            const HostMatrix<float>& Ht, const std::vector<double>& column_gram)
      : sample_(sample), Ht_(Ht), codes_(sample.rows_of(W)), squares_(sample.size()) {
    const Index k = Ht.cols();
    const HostMatrix<float> cross = sample.times(Ht);
    for (Index s = 0; s < sample.size(); ++s) {
      input.job.cancellation.check();
      double square = sample.squared_norm(s);
      for (Index i = 0; i < k; ++i) {
        double fitted = 0;
        for (Index j = 0; j < k; ++j) fitted += column_gram[i * k + j] * codes_(s, j);
        square += codes_(s, i) * (fitted - 2 * cross(s, i));
      }
      squares_[s] = square;
    }
  }

  // The residual of the worst-fitted row of all ranks' samples, or this row as a `whole`, which is
  // not taken again; empty if all are fitted up to the rounding of float32 products.
  std::vector<double> take_worst(bool whole, Communicator& ranks) {
    const auto s = std::max_element(squares_.begin(), squares_.end()) - squares_.begin();
    const double own = squares_[s] > 1e-6 * sample_.squared_norm(s) ? squares_[s] : 0;
    const std::vector<double> all = ranks.allgather({&own, 1});
    const auto worst = std::ranges::max_element(all);
    if (*worst <= 0) return {};
    std::vector<double> residual(static_cast<std::size_t>(Ht_.rows()));
    if (worst - all.begin() == ranks.rank()) {
      residual = whole ? sample_.dense_row(s) : row(s);
      squares_[s] = 0;
    }
    ranks.allreduce(residual);
    return residual;
  }

  // Subtracts the part of each row that a new component h will explain, to first order.
  void explain(const HostMatrix<float>& h) {
    double square = 0;
    for (Index t = 0; t < h.rows(); ++t) square += double{h(t, 0)} * h(t, 0);
    if (square == 0) return;
    std::vector<double> overlap(Ht_.cols());
    for (Index t = 0; t < h.rows(); ++t)
      for (Index j = 0; j < Ht_.cols(); ++j) overlap[j] += double{Ht_(t, j)} * h(t, 0);
    const HostMatrix<float> cross = sample_.times(h);
    for (Index s = 0; s < sample_.size(); ++s) {
      double along = cross(s, 0);
      for (Index j = 0; j < Ht_.cols(); ++j) along -= overlap[j] * codes_(s, j);
      if (along > 0) squares_[s] -= along * along / square;
    }
  }

 private:
  std::vector<double> row(Index s) const {
    std::vector<double> residual = sample_.dense_row(s);
    for (Index t = 0; t < Ht_.rows(); ++t)
      for (Index j = 0; j < Ht_.cols(); ++j) residual[t] -= double{codes_(s, j)} * Ht_(t, j);
    return residual;
  }

  const RowSample& sample_;
  const HostMatrix<float>& Ht_;
  const HostMatrix<float> codes_;
  std::vector<double> squares_;
};

void to_unit_length(HostMatrix<float>& h) {
  double square = 0;
  for (Index t = 0; t < h.rows(); ++t) square += double{h(t, 0)} * h(t, 0);
  for (Index t = 0; square > 0 && t < h.rows(); ++t)
    h(t, 0) = static_cast<float>(h(t, 0) / std::sqrt(square));
}

// Components that have been dead for at least two iterations and have attempts left.
std::vector<Index> due(const std::vector<bool>& dead, LoopState& state) {
  std::vector<Index> components;
  for (Index j = 0; j < static_cast<Index>(dead.size()); ++j) {
    state.dead_for[j] = dead[j] ? state.dead_for[j] + 1 : 0;
    if (state.dead_for[j] >= 2 && state.attempts[j] < most_attempts) components.push_back(j);
  }
  return components;
}

}  // namespace

std::vector<bool> dead_components(const std::vector<double>& row_gram,
                                  const std::vector<double>& column_gram, double squared_norm) {
  Index k = 0;
  while (k * k < static_cast<Index>(row_gram.size())) ++k;
  std::vector<bool> dead(k);
  for (Index j = 0; j < k; ++j)
    dead[j] = row_gram[j * k + j] * column_gram[j * k + j] <= 1e-16 * squared_norm;
  return dead;
}

bool Reseeding::reseed(LoopState& state, const std::vector<double>& row_gram,
                       const std::vector<double>& column_gram, BackendView<float> W,
                       BackendView<float> Ht) {
  if (!rule_.leaves_zeros || rule_.orthonormal) return false;
  const std::vector<Index> components =
      due(dead_components(row_gram, column_gram, input_.squared_norm), state);
  if (components.empty()) return false;

  Passes& backend = input_.backend;
  if (!sample_)
    sample_ = std::make_unique<RowSample>(input_, sample_size, CounterRandom(seed_, sample_rows));
  const HostMatrix<float> before = downloaded(backend, Ht);
  HostMatrix<float> after = before;
  Residuals residuals(*sample_, input_, W, before, column_gram);
  std::vector<double> kept(W.cols, 1.0);
  bool changed = false;
  for (const Index j : components) {
    input_.job.cancellation.check();
    ++state.attempts[j];
    state.dead_for[j] = 0;
    const std::vector<double> residual = residuals.take_worst(rule_.one_component, input_.ranks);
    if (residual.empty()) break;
    const double most = std::ranges::max(residual);
    const double scale = most > upper_ ? upper_ / most : 1;
    HostMatrix<float> h(Ht.rows, 1);
    for (Index t = 0; t < Ht.rows; ++t)
      h(t, 0) =
          static_cast<float>(rule_.columns_free ? residual[t] : scale * std::max(0.0, residual[t]));
    if (rule_.unit_ball) to_unit_length(h);
    residuals.explain(h);
    for (Index t = 0; t < Ht.rows; ++t) after(t, j) = h(t, 0);
    kept[j] = 0;
    changed = true;
  }
  if (!changed) return false;
  backend.scale_columns(kept, W, input_.job);
  backend.upload(after.view(), Ht);
  return true;
}

}  // namespace gemmine
