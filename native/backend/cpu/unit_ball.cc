#include "backend/cpu/unit_ball.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/over_rows.h"

namespace gemmine::cpu {
namespace {

// F [d×k] in float64. The result is rounded to float32 once.
class UnitBallSweeps {
 public:
  UnitBallSweeps(const std::vector<double>& S, const std::vector<double>& R, HostView<float> Ht,
                 const Job& job)
      : S_(S), R_(R), Ht_(Ht), job_(job), k_(Ht.cols) {
    F_.reserve(S.size());
    for (Index t = 0; t < Ht.rows; ++t) F_.insert(F_.end(), Ht.row(t), Ht.row(t) + k_);
  }

  void run(Index sweeps) {
    for (Index sweep = 0; sweep < sweeps; ++sweep)
      for (Index j = 0; j < k_; ++j)
        if (R_[j * (k_ + 1)] > 0) improve(j);
    for (Index t = 0, at = 0; t < Ht_.rows; ++t)
      for (Index j = 0; j < k_; ++j, ++at) Ht_(t, j) = static_cast<float>(F_[at]);
  }

 private:
  // With the other columns fixed, the objective is R_jj ‖f_j − b‖² + a constant.
  void improve(Index j) {
    const double* of_j = R_.data() + j * k_;
    const auto add = [&](Index begin, Index count, std::vector<double>& square) {
      for (Index t = begin; t < begin + count; ++t) {
        double* row = F_.data() + t * k_;
        double slope = S_[t * k_ + j];
        for (Index l = 0; l < k_; ++l) slope -= row[l] * of_j[l];
        row[j] += slope / of_j[j];
        square[0] += row[j] * row[j];
      }
    };
    const double length = std::sqrt(sum_over_rows(Ht_.rows, 1, job_, add)[0]);
    if (!(length > 1)) return;
    over_rows(Ht_.rows, sum_rows, job_, [&](Index begin, Index count) {
      for (Index t = begin; t < begin + count; ++t) F_[t * k_ + j] /= length;
    });
  }

  const std::vector<double>& S_;
  const std::vector<double>& R_;
  const HostView<float> Ht_;
  const Job& job_;
  const Index k_;
  std::vector<double> F_;
};

}  // namespace

void unit_ball_sweeps(const std::vector<double>& S, const std::vector<double>& R, Index sweeps,
                      HostView<float> Ht, const Job& job) {
  UnitBallSweeps(S, R, Ht, job).run(sweeps);
}

}  // namespace gemmine::cpu
