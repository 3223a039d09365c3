// Part of kernels.inl.

// ---- Noise by entry, see Noise and CounterRandom.

typedef std::uint64_t WordLanes __attribute__((vector_size(lane_bytes)));

// The products of the low halves of each lane.
inline WordLanes low_product(WordLanes a, WordLanes b) {
#if defined(__AVX512F__)
  return reinterpret_cast<WordLanes>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<WordLanes>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

// u of CounterRandom::uniform for the items of each lane. The upper half of a word is left as it
// comes: products read the lower one.
inline DoubleLanes uniform_lanes(std::uint64_t seed, std::uint32_t stream, std::uint64_t row,
                                 WordLanes items) {
  const WordLanes none = {};
  const WordLanes first = none + 0xD2511F53u;
  const WordLanes second = none + 0xCD9E8D57u;
  WordLanes x0 = items;
  WordLanes x1 = none + stream;
  WordLanes x2 = none + (row & 0xFFFFFFFFu);
  WordLanes x3 = none + (row >> 32);
  auto k0 = static_cast<std::uint32_t>(seed);
  auto k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const WordLanes p0 = low_product(x0, first);
    const WordLanes p1 = low_product(x2, second);
    x0 = (p1 >> 32) ^ x1 ^ (none + k0);
    x1 = p1;
    x2 = (p0 >> 32) ^ x3 ^ (none + k1);
    x3 = p0;
  }
  const WordLanes bits = (x1 << 32) | (x0 & 0xFFFFFFFFu);
  // An integer below 2^52 in the mantissa of 2^52.
  constexpr std::uint64_t exponent = 0x4330000000000000u;
  const auto whole = reinterpret_cast<DoubleLanes>((bits >> 12) | exponent) - 0x1p52;
  return (whole + 0.5) * 0x1p-52;
}

inline HalfLanes perturbed_lanes(HalfLanes x, DoubleLanes u, double amplitude) {
  const auto wide = __builtin_convertvector(x, DoubleLanes);
  constexpr double largest = __FLT_MAX__;
  DoubleLanes y = wide * (1 + amplitude * (2 * u - 1));
  y = y < -largest ? DoubleLanes{} - largest : y;
  y = y > largest ? DoubleLanes{} + largest : y;
  // x − x is NaN unless x is finite.
  const HalfLanes zero = x - x;
  return zero == zero ? __builtin_convertvector(y, HalfLanes) : x;
}

// The columns of the entries from `at` on.
inline WordLanes items_at(const NoisyRun& run, Index at) {
  typedef std::uint32_t Items __attribute__((vector_size(lane_bytes / 2)));
  if (run.columns != nullptr) {
    Items items;
    __builtin_memcpy(&items, run.columns + at, sizeof items);
    return __builtin_convertvector(items, WordLanes);
  }
  WordLanes counted;
  for (Index l = 0; l < double_lanes; ++l) counted[l] = static_cast<std::uint64_t>(l);
  return counted + static_cast<std::uint64_t>(at);
}

inline void perturb_lanes(const NoisyRun& run, const Noise& noise, Index at, float* to) {
  HalfLanes x;
  __builtin_memcpy(&x, run.x + at, sizeof x);
  const DoubleLanes u = uniform_lanes(noise.seed, noise_stream, static_cast<std::uint64_t>(run.row),
                                      items_at(run, at));
  const HalfLanes y = perturbed_lanes(x, u, noise.amplitude);
  __builtin_memcpy(to, &y, sizeof y);
}

void perturb(const NoisyRun& run, const Noise& noise, float* to) {
  Index at = 0;
  for (; at + double_lanes <= run.count; at += double_lanes) perturb_lanes(run, noise, at, to + at);
  if (at == run.count) return;
  float x[double_lanes] = {};
  std::int32_t columns[double_lanes] = {};
  for (Index l = 0; l < run.count - at; ++l) {
    x[l] = run.x[at + l];
    columns[l] = run.columns ? run.columns[at + l] : static_cast<std::int32_t>(at + l);
  }
  float y[double_lanes];
  perturb_lanes({x, double_lanes, run.row, columns}, noise, 0, y);
  for (Index l = 0; l < run.count - at; ++l) to[at + l] = y[l];
}
