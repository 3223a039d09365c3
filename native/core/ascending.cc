#include "core/ascending.h"

#include <algorithm>
#include <cmath>

namespace gemmine {

double sum_and_sort(std::span<double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  std::ranges::sort(values, [](double a, double b) {
    return a < b || (a == b && std::signbit(a) && !std::signbit(b));
  });
  return sum;
}

}  // namespace gemmine
