#pragma once

#include <vector>

#include "factorization/input.h"
#include "factorization/loop/state.h"

namespace gemmine::objective {

// Whether a run begins with direct measures, for a start that leaves this share of ‖X‖².
bool starts_direct(Index d, Index k, double expected_share);
// Whether so little is left that the identity ‖X‖² − 2⟨S, Ht⟩ + ⟨R, HtᵀHt⟩ cancels.
bool cancels(double error, double squared_norm);

// What a pass has to measure of the pair that it is given, whose objective may be known.
Measure next_measure(bool known, const LoopState& state);
// The objective that the pass found, without penalties. column_gram = HtᵀHt of the Ht it was given.
double incoming_error(const Input& input, const Sums& sums, Measure measure,
                      const std::vector<double>& column_gram);

// Sets objective t.
void set(LoopState& state, Index t, double objective, bool measured);

// Sets objective t (the last one is set twice) and applies the stopping rule, which compares only
// errors of one kind: their noise differs.
void record(LoopState& state, Index t, double objective, bool measured, double tolerance);

// After a step back: the objective is that of the iteration before, and says nothing of
// convergence.
void repeat(LoopState& state, Index t);

double inner(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace gemmine::objective
