#pragma once

#include <string>
#include <vector>

#include "factorization/fit.h"

// Warnings of a fit, as complete sentences for users.
namespace gemmine {

void warn_of_one_side(const Penalties& penalties, std::vector<std::string>& warnings);

// Multiplicative steps keep the zeros of factors that the caller gives.
void warn_of_given_zeros(const FitOptions& options, std::vector<std::string>& warnings);

// Under a correntropy: warns if nearly all rows, or entries, count as outliers. `loss` is the
// objective without penalties, `all` the weight of all rows, or entries.
bool is_correntropy(const Loss& loss);
void warn_of_outliers(const Loss& kind, double loss, double all,
                      std::vector<std::string>& warnings);

// If rounding prevented all further steps, the result still has the requested number of iterations,
// and a warning.
void warn_of_standstill(Index worked, Index iterations, std::vector<std::string>& warnings);

// Warns of components without a part in W H, or, for H of any sign, with codes that depend on
// others.
void warn_of_spare(const FitOptions& options, const std::vector<double>& row_gram,
                   const std::vector<double>& column_gram, double squared_norm, Index k,
                   std::vector<std::string>& warnings);

}  // namespace gemmine
