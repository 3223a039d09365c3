// Part of kernels.inl.

// ---- Rows and centres.

// For the tail of a row; rounds like the vector part.
inline double centred(const float* row, Index t, double scale, const double* origin) {
  return scale * static_cast<double>(row[t]) - origin[t];
}
inline DoubleLanes centred_lanes(const float* row, Index t, double scale, const double* origin) {
  return scale * widen(row + t) - load_double(origin + t);
}

void centre_rows(HostView<const float> rows, double scale, const double* origin, HostView<float> to,
                 double* norms) {
  const Index d = rows.cols;
  for (Index i = 0; i < rows.rows; ++i) {
    const float* row = rows.data + i * rows.stride;
    float* out = to.data + i * to.stride;
    DoubleLanes squares = {};
    Index t = 0;
    for (; t + double_lanes <= d; t += double_lanes) {
      const DoubleLanes x = centred_lanes(row, t, scale, origin);
      const HalfLanes narrow = __builtin_convertvector(x, HalfLanes);
      __builtin_memcpy(out + t, &narrow, sizeof narrow);
      squares += x * x;
    }
    double sum = lane_sum(squares);
    for (; t < d; ++t) {
      const double x = centred(row, t, scale, origin);
      out[t] = static_cast<float>(x);
      sum += x * x;
    }
    norms[i] = sum;
  }
}

// Finds the smallest upper bound of ‖c‖² − 2 p, then the centres whose lower bounds are within
// `tie` of it.
Index near_centers(const float* products, const CenterBounds& c, float slack, float tie,
                   std::int32_t* found) {
  const Lanes s = all(slack);
  Lanes least[widest];
  for (int v = 0; v < widest; ++v) least[v] = all(__builtin_inff());
  for (Index j = 0; j < c.padded; j += panel_width)
    for (int v = 0; v < widest; ++v) {
      const Index at = j + v * lanes;
      const Lanes p = load(products + at);
      const Lanes high = add_product(load(c.high + at) - (p + p), s, load(c.lengths + at));
      least[v] = min(high, least[v]);
    }
  for (int v = 1; v < widest; ++v) least[0] = min(least[v], least[0]);
  float limit = least[0][0];
  for (Index l = 1; l < lanes; ++l) limit = least[0][l] < limit ? least[0][l] : limit;
  limit += tie;

  Index count = 0;
  for (Index j = 0; j < c.padded; j += panel_width) {
    std::uint64_t hits = 0;
    for (int v = 0; v < widest; ++v) {
      const Index at = j + v * lanes;
      const Lanes p = load(products + at);
      const Lanes low = subtract_product(load(c.low + at) - (p + p), s, load(c.lengths + at));
      hits |= at_most(low, all(limit)) << (v * lanes);
    }
    for (; hits != 0; hits &= hits - 1)
      found[count++] = static_cast<std::int32_t>(j + __builtin_ctzll(hits));
  }
  return count;
}

double squared_distance(const float* row, Index d, double scale, const double* center) {
  DoubleLanes squares[2] = {};
  Index t = 0;
  for (; t + lanes <= d; t += lanes)
    for (Index h = 0; h < 2; ++h) {
      const DoubleLanes x = centred_lanes(row, t + h * double_lanes, scale, center);
      squares[h] += x * x;
    }
  double sum = lane_sum(squares[0] + squares[1]);
  for (; t < d; ++t) {
    const double x = centred(row, t, scale, center);
    sum += x * x;
  }
  return sum;
}

double add_to_cluster(const float* row, Index d, double scale, double weight, const double* center,
                      double* sums) {
  const double factor = weight * scale;
  DoubleLanes squares[2] = {};
  Index t = 0;
  for (; t + lanes <= d; t += lanes)
    for (Index h = 0; h < 2; ++h) {
      const Index at = t + h * double_lanes;
      const DoubleLanes wide = widen(row + at);
      const DoubleLanes x = scale * wide - load_double(center + at);
      squares[h] += x * x;
      store_double(load_double(sums + at) + factor * wide, sums + at);
    }
  double sum = lane_sum(squares[0] + squares[1]);
  for (; t < d; ++t) {
    const double x = centred(row, t, scale, center);
    sum += x * x;
    sums[t] += factor * static_cast<double>(row[t]);
  }
  return sum;
}
