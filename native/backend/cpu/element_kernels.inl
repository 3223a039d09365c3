// Part of kernels.inl.

// ---- Runs of elements.

inline DoubleLanes widen(const float* from) {
  HalfLanes half;
  __builtin_memcpy(&half, from, sizeof half);
  return __builtin_convertvector(half, DoubleLanes);
}

inline double lane_sum(DoubleLanes x) {
  double sum = 0;
  for (Index i = 0; i < double_lanes; ++i) sum += x[i];
  return sum;
}

ElementSums summarize(const float* elements, Index count) {
  DoubleLanes squares[2] = {};
  DoubleLanes sums[2] = {};
  Lanes smallest = all(__builtin_inff());
  IntLanes largest = {};
  Index i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Lanes x = load(elements + i);
    smallest = min(x, smallest);
    IntLanes bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    bits &= 0x7FFFFFFF;
    largest = bits > largest ? bits : largest;
    for (Index h = 0; h < 2; ++h) {
      const DoubleLanes wide = widen(elements + i + h * double_lanes);
      sums[h] += wide;
      squares[h] += wide * wide;
    }
  }
  ElementSums out = {lane_sum(squares[0] + squares[1]), lane_sum(sums[0] + sums[1]), smallest[0],
                     largest[0]};
  for (Index l = 1; l < lanes; ++l) {
    if (smallest[l] < out.smallest) out.smallest = smallest[l];
    if (largest[l] > out.largest_bits) out.largest_bits = largest[l];
  }
  for (; i < count; ++i) {
    const double wide = elements[i];
    out.squared_norm += wide * wide;
    out.sum += wide;
    if (elements[i] < out.smallest) out.smallest = elements[i];
    std::int32_t bits;
    __builtin_memcpy(&bits, elements + i, sizeof bits);
    bits &= 0x7FFFFFFF;
    if (bits > out.largest_bits) out.largest_bits = bits;
  }
  return out;
}

double dot(const float* a, const float* b, Index count) {
  DoubleLanes sums[2] = {};
  Index i = 0;
  for (; i + lanes <= count; i += lanes)
    for (Index h = 0; h < 2; ++h)
      sums[h] += widen(a + i + h * double_lanes) * widen(b + i + h * double_lanes);
  double sum = lane_sum(sums[0] + sums[1]);
  for (; i < count; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

inline DoubleLanes load_double(const double* from) {
  DoubleLanes value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
inline void store_double(DoubleLanes value, double* to) {
  __builtin_memcpy(to, &value, sizeof value);
}

double squares_left(const double* x, Index d, const float* w, const double* H, Index k) {
  constexpr Index width = 4;
  DoubleLanes squares[width] = {};
  Index t = 0;
  for (; t + width * double_lanes <= d; t += width * double_lanes) {
    DoubleLanes left[width];
    for (Index v = 0; v < width; ++v) left[v] = load_double(x + t + v * double_lanes);
    for (Index j = 0; j < k; ++j)
      for (Index v = 0; v < width; ++v)
        left[v] -= static_cast<double>(w[j]) * load_double(H + j * d + t + v * double_lanes);
    for (Index v = 0; v < width; ++v) squares[v] += left[v] * left[v];
  }
  double sum = lane_sum((squares[0] + squares[1]) + (squares[2] + squares[3]));
  for (; t < d; ++t) {
    double left = x[t];
    for (Index j = 0; j < k; ++j) left -= static_cast<double>(w[j]) * H[j * d + t];
    sum += left * left;
  }
  return sum;
}

void add_row(const float* __restrict from, Index count, double scale, double* __restrict to) {
  for (Index j = 0; j < count; ++j) to[j] += scale * static_cast<double>(from[j]);
}

void add_to_double(HostView<const float> from, double scale, double* to) {
  for (Index i = 0; i < from.rows; ++i)
    add_row(from.data + i * from.stride, from.cols, scale, to + i * from.cols);
}

void scale_row(const float* __restrict from, Index count, double scale, float* __restrict to) {
  for (Index j = 0; j < count; ++j) to[j] = static_cast<float>(scale * from[j]);
}

void scaled_copy(HostView<const float> from, double scale, HostView<float> to) {
  for (Index i = 0; i < from.rows; ++i)
    scale_row(from.data + i * from.stride, from.cols, scale, to.data + i * to.stride);
}
