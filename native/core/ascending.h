#pragma once

#include <span>

namespace gemmine {

// Sorts in place and returns the sum in the given order. NaN is not allowed; −0 comes before 0, as
// in JavaScript.
double sum_and_sort(std::span<double> values);

}  // namespace gemmine
