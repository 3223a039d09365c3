// Part of kernels.inl, after ratio_kernels.inl, which defines exponential().

// ---- Sums of exponentials in float64.

inline DoubleLanes load_doubles(const double* from) {
  DoubleLanes value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

constexpr Index double_parts = 8 / double_lanes;

// The order is that of canonical sums, the same for every instruction set.
inline double sum_of_eight(const DoubleLanes* parts) {
  double s[8];
  __builtin_memcpy(s, parts, sizeof s);
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

inline double largest_of(const double* values, double largest) {
  DoubleLanes highest = each(largest);
  for (Index i = 0; i < exponentials_at_once; i += double_lanes) {
    const DoubleLanes x = load_doubles(values + i);
    highest = x > highest ? x : highest;
  }
  for (Index l = 0; l < double_lanes; ++l) largest = highest[l] > largest ? highest[l] : largest;
  return largest;
}

void add_exponentials(const double* scores, const double* widths, double scale, LogSum& to) {
  const double largest = largest_of(scores, to.largest);
  if (largest > to.largest) {
    const double factor = exponential(each((to.largest - largest) * scale))[0];
    to.sum *= factor;
    to.weighted *= factor;
    to.largest = largest;
  }
  to.widest = largest_of(widths, to.widest);
  DoubleLanes sums[double_parts] = {}, weighted[double_parts] = {};
  for (Index i = 0; i < exponentials_at_once; i += 8)
    for (Index p = 0; p < double_parts; ++p) {
      const Index at = i + p * double_lanes;
      const DoubleLanes term = exponential((load_doubles(scores + at) - largest) * scale);
      sums[p] += term;
      weighted[p] += term * load_doubles(widths + at);
    }
  to.sum += sum_of_eight(sums);
  to.weighted += sum_of_eight(weighted);
}
