#include "factorization/chosen_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "factorization/random_streams.h"

namespace gemmine {
namespace {

constexpr Index exchanges = 10;  // Mørup & Hansen (2012), section 3.2

// Sums of the distances of all rows to the chosen ones.
class Distances {
 public:
  explicit Distances(const Input& input) : input_(input), sums_(input.rows()) {}

  const std::vector<double>& sums() const { return sums_; }

  // sums += distances to `added` − distances to `dropped`, which may be none, in one read of X.
  void change(Index added, std::optional<Index> dropped) {
    std::vector<Index> rows{added};
    if (dropped) rows.push_back(*dropped);
    const auto count = static_cast<Index>(rows.size());
    const Index d = input_.cols();
    HostMatrix<double> points(count, d);
    const RowCopies copies = input_.backend.read_rows(input_.X, rows, input_.job);
    for (Index c = 0; c < count; ++c)
      copies.take(c, input_.scale(), {points.row(c), static_cast<std::size_t>(d)});
    const std::vector<double> nearest(sums_.size(), std::numeric_limits<double>::infinity());
    HostMatrix<double> squares(input_.rows(), count);
    input_.backend.potentials({.X = input_.X,
                               .exponent = input_.pass_exponent,
                               .points = {points.row(0), count, d, d},
                               .weights = nullptr,
                               .nearest = nearest.data()},
                              squares.view(), input_.job);
    for (Index i = 0; i < input_.rows(); ++i)
      sums_[i] += std::sqrt(squares(i, 0)) - (dropped ? std::sqrt(squares(i, 1)) : 0);
  }

  // Ties go to the lower row.
  Index furthest(const std::vector<bool>& taken) const {
    Index best = -1;
    for (Index i = 0; i < input_.rows(); ++i)
      if (!taken[i] && (best < 0 || sums_[i] > sums_[best])) best = i;
    return best;
  }

 private:
  const Input& input_;
  std::vector<double> sums_;
};

}  // namespace

std::vector<Index> furthest_rows(const Input& input, Index k, std::uint64_t seed) {
  std::vector<Index> chosen = drawn_rows(input.rows(), 1, seed);
  std::vector<bool> taken(static_cast<std::size_t>(input.rows()));
  taken[chosen.front()] = true;
  Distances distances(input);
  // Of a single row no distance tells where it should be.
  const Index choices = k == 1 ? 1 : k + exchanges;
  for (Index t = 1; t < choices; ++t) {
    // From k rows on, the first one is dropped before the next is chosen.
    const bool drops = t >= k;
    distances.change(chosen.back(), drops ? std::optional(chosen.front()) : std::nullopt);
    if (drops) {
      taken[chosen.front()] = false;
      chosen.erase(chosen.begin());
    }
    chosen.push_back(distances.furthest(taken));
    taken[chosen.back()] = true;
    input.job.progress("choose rows", t, choices);
  }
  return chosen;
}

std::vector<Index> drawn_rows(Index n, Index k, std::uint64_t seed) {
  const CounterRandom random(seed, start_rows);
  // Floyd & Bentley (1987): "A sample of brilliance", CACM 30(9).
  std::vector<Index> rows;
  for (Index i = n - k; i < n; ++i) {
    const auto drawn =
        std::min(i, static_cast<Index>(random.uniform(i, 0) * static_cast<double>(i + 1)));
    const bool is_new = std::find(rows.begin(), rows.end(), drawn) == rows.end();
    rows.push_back(is_new ? drawn : i);
  }
  return rows;
}

void copy_rows_to_columns(const Input& input, const std::vector<Index>& rows,
                          BackendView<float> Ht) {
  const Index d = input.cols();
  const RowCopies copies = input.backend.read_rows(input.X, rows, input.job);
  HostMatrix<float> columns(d, static_cast<Index>(rows.size()));
  std::vector<double> row(static_cast<std::size_t>(d));
  for (Index j = 0; j < columns.cols(); ++j) {
    copies.take(j, input.scale(), row);
    for (Index t = 0; t < d; ++t) columns(t, j) = static_cast<float>(row[t]);
  }
  input.backend.upload(columns.view(), Ht);
}

}  // namespace gemmine
