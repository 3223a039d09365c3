#pragma once

#include <array>
#include <cmath>

#include "core/named.h"

namespace gemmine {

// What an entry x whose value in the model is v contributes to the loss. docs/math/divergences.md
// and docs/math/robust-losses.md have the sources.
enum class LossKind {
  frobenius,  // ½(x − v)², by cross products and a normal matrix; all entries count
  // The others have numerators and denominators of every element, so that a mask can exclude
  // entries.
  divergence,         // d_β: ½(x − v)² for β = 2, x ln(x/v) − x + v for 1, x/v − ln(x/v) − 1 for 0
  negative_binomial,  // x ln(x/v) − (x + s) ln((x + s)/(v + s)); the variance of x is v + v²/s
  huber,              // ½r² for |r| <= δ, else δ(|r| − ½δ), with r = x − v
  row_length,         // of a row: its length t = ‖x_i − v_i‖, (t² + ε²)/2ε for t < ε
  correntropy,        // σ²(1 − exp(−r²/2σ²))
  row_correntropy,    // of a row: the same of its length t
  // Of x in {0, 1} and a log-odds v: ln(1 + e^v) − x v, by steps of its majoriser.
  // docs/math/semi-orthogonal-nmf.md.
  logistic,
};
inline constexpr std::array<Named<LossKind>, 8> loss_names{
    {{"frobenius", LossKind::frobenius},
     {"divergence", LossKind::divergence},
     {"negative-binomial", LossKind::negative_binomial},
     {"huber", LossKind::huber},
     {"row-length", LossKind::row_length},
     {"correntropy", LossKind::correntropy},
     {"row-correntropy", LossKind::row_correntropy},
     {"logistic", LossKind::logistic}}};

struct Loss {
  LossKind kind;
  // The β whose multiplicative steps the loss has: for negative_binomial 1, or 0 for steps that are
  // longer where v is above s; 2 for losses that are bounded by weighted squares.
  double beta;
  double multiple = 1;   // of these contributions in the objective: 2 for deviances and frobenius
  double parameter = 0;  // s, δ, ε or σ, in units of X

  bool operator==(const Loss&) const = default;
};
inline constexpr Loss frobenius_loss{LossKind::frobenius, 2, 2};

// Whether the loss of a row depends on its length alone.
inline bool is_of_rows(const Loss& loss) {
  return loss.kind == LossKind::row_length || loss.kind == LossKind::row_correntropy;
}

// Whether a weighted sum of squares bounds the loss from above and touches it at any given model.
inline bool is_bounded_by_squares(const Loss& loss) {
  switch (loss.kind) {
    case LossKind::divergence:
      return loss.beta == 2;
    case LossKind::negative_binomial:
    case LossKind::logistic:
      return false;
    default:
      return true;
  }
}

// The same loss with numerators and denominators of every element.
inline Loss by_entry(const Loss& loss) {
  const Loss squares{LossKind::divergence, 2, 2};
  return loss.kind == LossKind::frobenius ? squares : loss;
}

// The loss of X·c is proportional to this power of c, if the parameter is too.
inline double degree_of(const Loss& loss) {
  switch (loss.kind) {
    case LossKind::frobenius:
    case LossKind::huber:
    case LossKind::correntropy:
    case LossKind::row_correntropy:
      return 2;
    case LossKind::divergence:
      return loss.beta;
    case LossKind::negative_binomial:
    case LossKind::row_length:
      return 1;
    case LossKind::logistic:
      return 0;  // X is not scaled
  }
  return 2;
}

// The loss of X·2^-exponent.
inline Loss scaled(Loss loss, int exponent) {
  loss.parameter = std::ldexp(loss.parameter, -exponent);
  return loss;
}

}  // namespace gemmine
