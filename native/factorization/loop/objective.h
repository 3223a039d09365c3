#pragma once

#include <vector>

#include "factorization/input.h"
#include "factorization/loop/state.h"

namespace gemmine::objective {

// Returns whether a run begins with direct measures, if the start leaves this share of ‖X‖².
bool starts_direct(Index d, Index k, double expected_share);
// Returns whether the error is so small that the identity ‖X‖² − 2⟨S, Ht⟩ + ⟨R, HtᵀHt⟩ cancels.
bool cancels(double error, double squared_norm);

// The measure that a pass needs for the given pair, whose objective may be known.
Measure next_measure(bool known, const LoopState& state);
// The objective that the pass measured, without penalties. column_gram = HtᵀHt of the given Ht.
double incoming_error(const Input& input, const Sums& sums, Measure measure,
                      const std::vector<double>& column_gram);

// Sets objective t.
void set(LoopState& state, Index t, double objective, bool measured);

// Sets objective t (the last one is set twice) and applies the stopping rule, which only compares
// errors of the same kind, because their accuracy differs.
void record(LoopState& state, Index t, double objective, bool measured, double tolerance);

// After an undone iteration: repeats the objective before it, without a test of convergence.
void repeat(LoopState& state, Index t);

double inner(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace gemmine::objective
