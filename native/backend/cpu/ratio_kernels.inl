// Part of kernels.inl.

// ---- Losses, element by element.

typedef std::int64_t LongLanes __attribute__((vector_size(lane_bytes)));

inline LongLanes bits_of(DoubleLanes x) {
  LongLanes bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline DoubleLanes from_bits(LongLanes bits) {
  DoubleLanes x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}
inline DoubleLanes each(double x) { return x - DoubleLanes{}; }

// An integer below 2^51 in magnitude, added to this number, is stored in the last bits of the sum.
constexpr double integer_shift = 0x1.8p52;
inline DoubleLanes to_double(LongLanes integer) {
  return from_bits(integer + bits_of(each(integer_shift))) - integer_shift;
}

// ln x for positive normal x: with x = m·2^e, m in [√½, √2), it is e ln 2 + 2 artanh((m − 1)/(m +
// 1)), whose series ends with 1/last. For zero it is a large negative number.
template <int last>
inline DoubleLanes series_logarithm(DoubleLanes x) {
  const LongLanes bits = bits_of(x);
  LongLanes exponent = ((bits >> 52) & 0x7FF) - 1023;
  DoubleLanes m = from_bits((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
  const LongLanes high = m > 1.4142135623730951;
  exponent -= high;
  m = high ? m * 0.5 : m;
  const DoubleLanes s = (m - 1.0) / (m + 1.0);
  const DoubleLanes z = s * s;
  DoubleLanes series = each(1.0 / last);
  for (int term = last - 2; term > 0; term -= 2) series = series * z + 1.0 / term;
  return to_double(exponent) * 0.6931471805599453 + 2.0 * s * series;
}

// With a relative error of about 1e-16.
inline DoubleLanes logarithm(DoubleLanes x) { return series_logarithm<19>(x); }

// e^x, 0 below −700 and e^700 above 700, by so many terms of its series.
template <int terms>
inline DoubleLanes series_exponential(DoubleLanes x) {
  const LongLanes vanishes = x < -700.0;
  x = x > 700.0 ? each(700.0) : x;
  x = vanishes ? each(-700.0) : x;
  const DoubleLanes shifted = x * 1.4426950408889634 + integer_shift;
  const DoubleLanes n = shifted - integer_shift;
  const DoubleLanes r = (x - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
  DoubleLanes series = each(1.0);
  for (int term = terms; term > 0; --term) series = series * r * (1.0 / term) + 1.0;
  const LongLanes exponent = bits_of(shifted) - bits_of(each(integer_shift));
  const DoubleLanes scaled = from_bits(bits_of(series) + (exponent << 52));
  return vanishes ? DoubleLanes{} : scaled;
}

// With a relative error of about 1e-16.
inline DoubleLanes exponential(DoubleLanes x) { return series_exponential<13>(x); }

inline DoubleLanes power(DoubleLanes x, double p) { return exponential(logarithm(x) * p); }

// The same with a relative error of about |p|·1e-9, for results that are rounded to float32.
inline DoubleLanes short_power(DoubleLanes x, double p) {
  return series_exponential<8>(series_logarithm<9>(x) * p);
}

inline DoubleLanes atleast(DoubleLanes x, double least) { return x > least ? x : each(least); }

// d_β(x, v) of one element.
inline DoubleLanes divergence_of(DoubleLanes x, DoubleLanes v, double beta) {
  if (beta == 2) return 0.5 * (x - v) * (x - v);
  if (beta == 1) return x * logarithm(x / v) - x + v;
  if (beta == 0) return x / v - logarithm(x / v) - 1.0;
  const DoubleLanes to_beta =
      beta > 0 ? (x > 0.0 ? power(x, beta) : DoubleLanes{}) : power(x, beta);
  const DoubleLanes below = power(v, beta - 1);
  return (to_beta + (beta - 1) * below * v - beta * x * below) * (1 / (beta * (beta - 1)));
}

// ln(1 + z) for z > −1, also if z is tiny.
inline DoubleLanes logarithm_of_one_plus(DoubleLanes z) {
  const DoubleLanes sum = z + 1.0;
  const DoubleLanes rounded = sum - 1.0;
  const LongLanes vanishes = rounded == 0.0;
  return vanishes ? z : logarithm(sum) * (z / (vanishes ? each(1.0) : rounded));
}

// ln(x/y) for positive x and y, from x − y, also if it is tiny.
inline DoubleLanes logarithm_of_quotient(DoubleLanes x, DoubleLanes y, DoubleLanes difference) {
  const DoubleLanes z = difference / y;
  const DoubleLanes sum = z + 1.0;
  const DoubleLanes rounded = sum - 1.0;
  const LongLanes far = z < -0.5;  // near −1, z keeps few bits of x/y
  const LongLanes vanishes = rounded == 0.0;
  const DoubleLanes logarithm_of_sum = logarithm(far ? x / y : sum);
  const DoubleLanes near = vanishes ? z : logarithm_of_sum * (z / (vanishes ? each(1.0) : rounded));
  return far ? logarithm_of_sum : near;
}

// 1 − e^−z for z >= 0, also if z is tiny: below 1/32 by its series, whose next term is below
// 1e-17 of it.
inline DoubleLanes one_minus_exponential(DoubleLanes z) {
  DoubleLanes series = each(1.0);
  for (int term = 9; term > 1; --term) series = 1.0 - series * z * (1.0 / term);
  return z < 0.03125 ? z * series : 1.0 - exponential(-z);
}

// The share of (x − v)² that the Huber loss keeps.
inline DoubleLanes huber_weight(DoubleLanes x, DoubleLanes v, double delta) {
  const DoubleLanes r = x > v ? x - v : v - x;
  return r > delta ? delta / r : each(1.0);
}

// The weight w with which ½w(x − v)² + c touches the contribution of an element from above.
inline DoubleLanes square_weight(DoubleLanes x, DoubleLanes v, const Loss& loss) {
  if (loss.kind == LossKind::huber) return huber_weight(x, v, loss.parameter);
  if (loss.kind == LossKind::correntropy) {
    const DoubleLanes r = (x - v) * (1 / loss.parameter);
    const DoubleLanes weight = exponential(-0.5 * r * r);
    return weight < smallest_correntropy_weight ? DoubleLanes{} : weight;
  }
  return each(1.0);
}

// The contribution of one element.
inline DoubleLanes loss_of(DoubleLanes x, DoubleLanes v, const Loss& loss) {
  const double parameter = loss.parameter;
  // x ln(x/v) − (x + s) ln((x + s)/(v + s)), as a difference of numbers of its own size.
  if (loss.kind == LossKind::negative_binomial)
    return x * logarithm_of_one_plus(parameter * (x - v) / (v * (x + parameter))) -
           parameter * logarithm_of_quotient(x + parameter, v + parameter, x - v);
  if (loss.kind == LossKind::huber) {
    const DoubleLanes r = x > v ? x - v : v - x;
    return r > parameter ? parameter * (r - 0.5 * parameter) : 0.5 * r * r;
  }
  if (loss.kind == LossKind::correntropy) {
    const DoubleLanes r = (x - v) * (1 / parameter);
    return parameter * parameter * one_minus_exponential(0.5 * r * r);
  }
  return divergence_of(x, v, loss.beta);
}

struct EntryTerms {
  DoubleLanes above;
  DoubleLanes below;
};

inline EntryTerms divergence_terms_of(DoubleLanes x, DoubleLanes v, double beta) {
  if (beta == 2) return {x, v};
  if (beta == 1) return {x / v, each(1.0)};
  const DoubleLanes below = beta == 0 ? 1.0 / v : short_power(v, beta - 1);
  return {x / v * below, below};
}

inline EntryTerms terms_of(DoubleLanes x, DoubleLanes v, const Loss& loss) {
  if (loss.kind == LossKind::negative_binomial) {
    if (loss.beta == 0) {
      const DoubleLanes share = (1 + loss.parameter) / (v + loss.parameter);
      return {x / v * share, share};
    }
    return {x / v, (x + loss.parameter) / (v + loss.parameter)};
  }
  if (loss.kind == LossKind::huber || loss.kind == LossKind::correntropy) {
    const DoubleLanes weight = square_weight(x, v, loss);
    return {weight * x, weight * v};
  }
  return divergence_terms_of(x, v, loss.beta);
}

template <class Each>
inline void each_run(const EntryRun& run, Each body) {
  Index i = 0;
  for (; i + double_lanes <= run.count; i += double_lanes)
    body(widen(run.x + i), widen(run.v + i), i, double_lanes);
  if (i == run.count) return;
  float x[double_lanes];
  float v[double_lanes];
  for (Index l = 0; l < double_lanes; ++l) {
    x[l] = i + l < run.count ? run.x[i + l] : 1;
    v[l] = i + l < run.count ? run.v[i + l] : 1;
  }
  body(widen(x), widen(v), i, run.count - i);
}

// 1, or 0 for an entry that does not count or lies beyond the run.
inline DoubleLanes seen_lanes(const EntryRun& run, Index at, Index count) {
  if (count == double_lanes) return run.seen == nullptr ? each(1.0) : widen(run.seen + at);
  DoubleLanes seen = {};
  for (Index l = 0; l < count; ++l)
    seen[l] = run.seen == nullptr ? 1 : static_cast<double>(run.seen[at + l]);
  return seen;
}

double divergence(const EntryRun& run) {
  DoubleLanes sum = {};
  each_run(run, [&](DoubleLanes x, DoubleLanes v, Index at, Index count) {
    const DoubleLanes terms = loss_of(x, atleast(v, run.least), run.loss);
    sum += seen_lanes(run, at, count) * terms;
  });
  return run.weight * lane_sum(sum);
}

inline void store_first(DoubleLanes from, Index count, float* to) {
  const HalfLanes narrow = __builtin_convertvector(from, HalfLanes);
  if (count == double_lanes)
    __builtin_memcpy(to, &narrow, sizeof narrow);
  else
    for (Index l = 0; l < count; ++l) to[l] = narrow[l];
}

// x / v: the same bits as by float64, because a quotient of two float32 that is rounded twice is
// rounded right.
void plain_ratios(const EntryRun& run, float* a) {
  constexpr auto least = static_cast<float>(smallest_model_entry);
  Index i = 0;
  for (; i + lanes <= run.count; i += lanes)
    store(load(run.x + i) / max(load(run.v + i), all(least)), a + i);
  for (; i < run.count; ++i) a[i] = run.x[i] / (run.v[i] > least ? run.v[i] : least);
}

void divergence_terms(const EntryRun& run, float* a, float* b) {
  const bool kullback_leibler = run.loss.kind == LossKind::divergence && run.loss.beta == 1;
  if (kullback_leibler && b == nullptr && run.seen == nullptr && run.weight == 1)
    return plain_ratios(run, a);
  each_run(run, [&](DoubleLanes x, DoubleLanes v, Index at, Index count) {
    const EntryTerms terms = terms_of(x, atleast(v, run.least), run.loss);
    const DoubleLanes weight = run.weight * seen_lanes(run, at, count);
    store_first(weight * terms.above, count, a + at);
    if (b != nullptr) store_first(weight * terms.below, count, b + at);
  });
}

void weighted_squares(const EntryRun& run, float* a, float* b) {
  each_run(run, [&](DoubleLanes x, DoubleLanes v, Index at, Index count) {
    const DoubleLanes weight =
        run.weight * seen_lanes(run, at, count) * square_weight(x, v, run.loss);
    store_first(weight * x, count, a + at);
    store_first(weight, count, b + at);
  });
}

// f = min(upper, f·(above / (below + half_l1 + l2 f))^exponent). A zero stays zero; 0/0 keeps f. A
// denominator that vanished in float32 counts as its smallest number, which is more: f grows less.
void ratio_update(const RatioRun& run) {
  const double highest = run.upper < __FLT_MAX__ ? run.upper : __FLT_MAX__;
  for (Index i = 0; i < run.count; i += double_lanes) {
    const Index here = run.count - i < double_lanes ? run.count - i : double_lanes;
    DoubleLanes f = {};
    DoubleLanes above = {};
    DoubleLanes below = {};
    if (here == double_lanes) {
      f = widen(run.factor + i);
      __builtin_memcpy(&above, run.above + i, sizeof above);
      __builtin_memcpy(&below, run.below + i, sizeof below);
    } else {
      for (Index l = 0; l < here; ++l) {
        f[l] = run.factor[i + l];
        above[l] = run.above[i + l];
        below[l] = run.below[i + l];
      }
    }
    below += run.half_l1 + run.l2 * f;
    const DoubleLanes ratio = above / atleast(below, __FLT_DENORM_MIN__);
    DoubleLanes next = f * (run.exponent == 1 ? ratio : short_power(ratio, run.exponent));
    next = next > highest ? each(highest) : next;
    next = next > __FLT_MIN__ ? next : each(__FLT_MIN__);
    next = above > 0.0 ? next : DoubleLanes{};
    next = below > 0.0 || above > 0.0 ? next : f;
    next = f > 0.0 ? next : f;
    store_first(next, here, run.factor + i);
  }
}

#if defined(__AVX2__)
inline float total_of_8(__m256 x) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}
#endif

inline float lane_total(Lanes x) {
#if defined(__AVX512F__)
  return total_of_8(_mm512_maskz_extractf32x8_ps(0xFF, x, 0) +
                    _mm512_maskz_extractf32x8_ps(0xFF, x, 1));
#elif defined(__AVX2__)
  return total_of_8(x);
#else
  float sum = 0;
  for (Index l = 0; l < lanes; ++l) sum += x[l];
  return sum;
#endif
}

// The products of one row, which stays in registers.
template <int width>
inline void row_products(const float* left, const std::int32_t* indices, Index count,
                         HostView<const float> Ht, float* v) {
  Lanes w[width];
  for (int t = 0; t < width; ++t) w[t] = load(left + t * lanes);
  for (Index e = 0; e < count; ++e) {
    const float* right = Ht.data + indices[e] * Ht.stride;
    Lanes sum = w[0] * load(right);
    for (int t = 1; t < width; ++t) sum = add_product(sum, w[t], load(right + t * lanes));
    v[e] = lane_total(sum);
  }
}

inline void long_row_products(const float* left, const std::int32_t* indices, Index count,
                              HostView<const float> Ht, float* v) {
  for (Index e = 0; e < count; ++e) {
    const float* right = Ht.data + indices[e] * Ht.stride;
    Lanes sums[2] = {};
    Index j = 0;
    for (; j + 2 * lanes <= Ht.stride; j += 2 * lanes)
      for (Index h = 0; h < 2; ++h)
        sums[h] = add_product(sums[h], load(left + j + h * lanes), load(right + j + h * lanes));
    if (j < Ht.stride) sums[0] = add_product(sums[0], load(left + j), load(right + j));
    v[e] = lane_total(sums[0] + sums[1]);
  }
}

void sparse_products(const SparseRows& rows, HostView<const float> W, HostView<const float> Ht,
                     float* v) {
  for (Index i = 0; i < rows.count; ++i) {
    const auto first = static_cast<Index>(rows.indptr[i]);
    const Index count = static_cast<Index>(rows.indptr[i + 1]) - first;
    const std::int32_t* indices = rows.indices + first;
    const float* left = W.data + i * W.stride;
    if (Ht.cols > panel_width)
      long_row_products(left, indices, count, Ht, v + first);
    else
      with_width(Ht.cols, 0, [&]<int width>(Width<width>) {
        row_products<width>(left, indices, count, Ht, v + first);
      });
  }
}
