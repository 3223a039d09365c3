// Every kernel over the entries of X on the emulated GPU against its formula. As
// cuda_kernels_suite.cc, it also runs under sanitizers and with planted mistakes.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cuda/kernel_bench.h"
#include "cuda/sparse_scene.h"
#include "entry_oracle.h"

namespace {

using namespace test;

// ---- Products with a sparse X.

void products_agree(const SparseScene& s, Index k) {
  Bench b;
  const SparseThere X(b.device, s);
  const EntryTable& kernels = b.device->table().entries;
  const There B(b.device, s.d, k, 2), F(b.device, s.count, k, 3), to(b.device, s.count, k, 4);
  b.run(kernels.sparse_product, {X.rows(), X.values(), k, B.in(), to.out()});
  expect_entries(to, "sparse_product", 1e-5, [&](Index i, Index j) {
    double sum = 0;
    for (Index t = 0; t < s.d; ++t) sum += double{s.at(i, t)} * B(t, j);
    return sum;
  });

  std::vector<double> wide(s.d * k);
  for (Index t = 0; t < s.d * k; ++t) wide[t] = std::sin(1e6 * static_cast<double>(t));
  const Array<double> wide_there(b.device, wide), product(b.device, s.count * k);
  b.run(kernels.wide_sparse_product, {X.rows(), X.values(), k, wide_there.data(), product.data()});
  const std::vector<double> found = product.download();
  for (Index i = 0; i < s.count; ++i)
    for (Index j = 0; j < k; ++j) {
      double sum = 0;
      for (Index t = 0; t < s.d; ++t) sum += double{s.at(i, t)} * wide[t * k + j];
      near(found[i * k + j], sum, 1e-13, "wide_sparse_product");
    }

  const Array<float> columns(b.device, s.d * k);
  b.run(kernels.sparse_columns, {X.rows(), X.values(), k, F.in(), columns.data()});
  const std::vector<float> S = columns.download();
  for (Index t = 0; t < s.d; ++t)
    for (Index j = 0; j < k; ++j) {
      double sum = 0;
      for (Index i = 0; i < s.count; ++i) sum += double{s.at(i, t)} * F(i, j);
      near(S[t * k + j], sum, 2e-5, "sparse_columns");
    }
}

// The chunks in which the entries of columns lie do not change the order of their sums.
void columns_have_the_bits_of_one_chunk(const SparseScene& s, Index k) {
  std::vector<std::vector<float>> found;
  for (const bool one : {true, false}) {
    Bench b;
    SparseScene scene = s;
    if (one) scene.chunks = {0, s.n};
    const SparseThere X(b.device, scene);
    const There F(b.device, s.count, k, 3);
    const Array<float> to(b.device, s.d * k);
    b.run(b.device->table().entries.sparse_columns, {X.rows(), X.values(), k, F.in(), to.data()});
    found.push_back(to.download());
  }
  check(found[0] == found[1], "sums of columns by chunks");
}

void entries_agree(const SparseScene& s, Index k) {
  Bench b;
  const SparseThere X(b.device, s);
  const EntryTable& kernels = b.device->table().entries;
  const There W(b.device, s.count, k, 2), Ht(b.device, s.d, k, 3);
  const Array<float> entries(b.device, s.entries());
  b.run(kernels.sparse_model, {X.rows(), k, W.in(), Ht.in(), entries.data()});
  const std::vector<float> model = entries.download();
  const Noise noise{.amplitude = 0.3, .seed = 77};
  const Index first = Index{1} << 33;
  b.run(kernels.sparse_perturb,
        {X.rows(), X.values(), noise.amplitude, noise.seed, noise_stream, first, entries.data()});
  const std::vector<float> noisy = entries.download();
  s.each([&](Index i, Index t, Index e) {
    double v = 0;
    for (Index j = 0; j < k; ++j) v += double{W(i, j)} * Ht(t, j);
    near(model[e], v, 2e-5, "sparse_model");
    near(noisy[e], perturbed(s.at(i, t), noise, first + i, t), 0, "sparse_perturb");
  });

  const Index begin = s.count / 3, count = s.count - begin;
  const Array<float> dense(b.device, count * s.d);
  b.run(kernels.densify, {X.rows(), X.values(), begin, count, dense.data()});
  const std::vector<float> all = dense.download();
  for (Index i = 0; i < count; ++i)
    for (Index t = 0; t < s.d; ++t) near(all[i * s.d + t], s.at(begin + i, t), 0, "densify");
}

// ---- Losses.

const std::vector<Loss> losses = {{LossKind::divergence, 1},
                                  {LossKind::divergence, 0},
                                  {LossKind::divergence, 2},
                                  {LossKind::divergence, 0.5},
                                  {LossKind::divergence, 3},
                                  {LossKind::divergence, -1},
                                  {LossKind::negative_binomial, 1, 2, 0.7},
                                  {LossKind::negative_binomial, 0, 2, 0.7},
                                  {LossKind::huber, 2, 1, 0.5},
                                  {LossKind::row_length, 2, 1, 4},
                                  {LossKind::correntropy, 2, 1, 0.7},
                                  {LossKind::row_correntropy, 2, 1, 6},
                                  {LossKind::logistic, 2, 1, 0}};

double likely(double v) { return 1 / (1 + std::exp(-v)); }

double contribution(double x, double v, const Loss& loss) {
  if (loss.kind == LossKind::logistic) return std::log1p(std::exp(v)) - x * v;
  if (is_of_rows(loss)) return (x - v) * (x - v) / 2;
  return oracle::contribution(x, v, loss);
}

// Terms of the numerators and denominators.
std::pair<double, double> terms(double x, double v, const Loss& loss) {
  const double s = loss.parameter;
  if (loss.kind == LossKind::logistic) return {4 * (x - likely(v)), 0};
  if (loss.kind == LossKind::negative_binomial)
    return loss.beta == 0 ? std::pair{x / v * (1 + s) / (v + s), (1 + s) / (v + s)}
                          : std::pair{x / v, (x + s) / (v + s)};
  if (is_bounded_by_squares(loss)) {
    const double weight = is_of_rows(loss) ? 1 : oracle::square_weight(x - v, loss);
    return {weight * x, weight * v};
  }
  return {x * std::pow(v, loss.beta - 2), std::pow(v, loss.beta - 1)};
}

struct Masked {
  const char* name;
  bool bitmap, nan;
  double held_out;
  bool only;
};

// Entries of a scene and of a model, dense or as they are stored, in memory of the device.
struct EntriesThere {
  EntriesThere(Bench& b, const SparseScene& s, bool dense, const Masked& masked)
      : scene(s),
        is_dense(dense),
        mask(masked),
        sparse(b.device, s),
        x(b.device, s.count, s.d, 1),
        v(b.device, s.count, s.d, 2, true),
        entry_x(b.device),
        entry_v(b.device),
        seen(b.device) {
    const float missing = std::numeric_limits<float>::quiet_NaN();
    x.values = std::vector<float>(s.count * x.stride, guard);
    std::vector<float> stored_x(s.entries()), stored_v(s.entries());
    for (Index i = 0; i < s.count; ++i)
      for (Index t = 0; t < s.d; ++t) {
        // Positive, as every loss allows, or 0 where few do: an x that is stored is not 0.
        const bool lost = mask.nan && (i + t) % 3 == 0;
        x.values[i * x.stride + t] = lost ? missing : std::abs(s.at(i, t)) + 0.125f;
      }
    s.each([&](Index i, Index t, Index e) {
      stored_x[e] = x(i, t);
      stored_v[e] = v(i, t);
    });
    x.array.upload(x.values);
    entry_x.upload(stored_x);
    entry_v.upload(stored_v);
    for (Index i = 0; i < s.count * s.d; ++i) bits.push_back(i % 4 != 1);
    seen.upload(bits);
  }

  EntryRows rows(const Loss& loss) const {
    const SparseRows of = sparse.rows();
    return {.rows = scene.count,
            .cols = scene.d,
            .starts = is_dense ? nullptr : of.starts,
            .first_entry = of.first_entry,
            .columns = is_dense ? nullptr : of.columns,
            .x = is_dense ? x.array.data() : entry_x.data(),
            .x_stride = x.stride,
            .v = is_dense ? v.array.data() : entry_v.data(),
            .v_stride = v.stride,
            .scale = 0.5,
            .least = loss.kind == LossKind::logistic ? -HUGE_VAL : 0.25,
            .beta = loss.beta,
            .parameter = loss.parameter,
            .loss = static_cast<EntryLoss>(loss.kind),
            .nan_is_missing = mask.nan,
            .seen = mask.bitmap ? seen.data() : nullptr,
            .held_out = mask.held_out,
            .seed = 5,
            .only_held_out = mask.only,
            .first_row = 1000};
  }

  bool counts(Index i, Index t) const {
    const Mask of{
        mask.bitmap ? bits.data() : nullptr, mask.nan, false, mask.held_out, 5, mask.only};
    if (mask.bitmap && bits[i * scene.d + t] == 0) return false;
    return !std::isnan(x(i, t)) && !is_held_out(of, 1000 + i, t);
  }
  // visit(i, t, place of the entry, whether it counts, x·scale, v)
  template <class Visit>
  void each(const Visit& visit) const {
    const auto call = [&](Index i, Index t, Index place) {
      visit(i, t, place, counts(i, t), 0.5 * x(i, t), double{v(i, t)});
    };
    if (!is_dense) return scene.each(call);
    for (Index i = 0; i < scene.count; ++i)
      for (Index t = 0; t < scene.d; ++t) call(i, t, i * x.stride + t);
  }

  const SparseScene& scene;
  bool is_dense;
  Masked mask;
  SparseThere sparse;
  There x, v;
  Array<float> entry_x, entry_v;
  Array<std::uint8_t> seen;
  std::vector<std::uint8_t> bits;
};

void losses_agree(const SparseScene& s, bool dense, const Masked& mask, const Loss& loss) {
  Bench b;
  const EntriesThere entries(b, s, dense, mask);
  const EntryTable& kernels = b.device->table().entries;
  const std::string what = std::string(mask.name) + ", " + name_of(loss_names, loss.kind) + " " +
                           std::to_string(loss.beta);
  const bool logistic = loss.kind == LossKind::logistic;
  const double least = logistic ? -HUGE_VAL : 0.25;
  std::vector<double> expected(s.count), squares(s.count), shares(s.count);
  for (Index i = 0; i < s.count; ++i) shares[i] = 0.25 * static_cast<double>(i % 3);
  entries.each([&](Index i, Index, Index, bool counts, double x, double v) {
    if (!counts) return;
    expected[i] += contribution(x, std::max(v, least), loss);
    const double r = x - (logistic ? likely(v) : v);
    squares[i] += r * r;
  });
  const Array<double> measured(b.device, s.count), shares_there(b.device, shares);
  for (const EntryMeasure measure : {EntryMeasure::losses, EntryMeasure::squares}) {
    b.run(kernels.measure_entries,
          {entries.rows(loss), measure, 0, {nullptr, 0}, nullptr, nullptr, measured.data()});
    const std::vector<double> found = measured.download();
    const std::vector<double>& right = measure == EntryMeasure::losses ? expected : squares;
    for (Index i = 0; i < s.count; ++i)
      near(found[i], right[i], 1e-12 * (1 + std::abs(right[i])), "measured: " + what);
  }

  const Index stride = entries.x.stride;
  const Array<float> above(b.device, std::max(s.count * stride, s.entries()));
  const Array<float> below(b.device, above.size());
  for (const bool as_squares : {false, is_bounded_by_squares(loss)}) {
    b.run(kernels.entry_terms, {entries.rows(loss), as_squares, shares_there.data(), above.data(),
                                stride, below.data(), stride});
    const std::vector<float> a = above.download(), under = below.download();
    entries.each([&](Index i, Index, Index place, bool counts, double x, double v) {
      auto [high, low] = terms(x, std::max(v, least), loss);
      if (as_squares) {
        low = is_of_rows(loss) ? 1 : oracle::square_weight(x - std::max(v, least), loss);
        high = low * x;
      }
      if (!counts) high = low = 0;
      near(a[place], shares[i] * high, 1e-6 * (1 + std::abs(high)), "numerators: " + what);
      near(under[place], shares[i] * low, 1e-6 * (1 + std::abs(low)), "denominators: " + what);
    });
  }
}

// Entries that are not stored have x = 0: v for Kullback–Leibler, v² for squares.
void entries_that_are_not_stored_count(const SparseScene& s, Index k) {
  Bench b;
  const SparseThere X(b.device, s);
  const EntryTable& kernels = b.device->table().entries;
  const There W(b.device, s.count, k, 2, true), Ht(b.device, s.d, k, 3, true);
  const Array<float> model(b.device, s.entries());
  b.run(kernels.sparse_model, {X.rows(), k, W.in(), Ht.in(), model.data()});
  std::vector<double> sums(k), gram(k * k);
  for (Index t = 0; t < s.d; ++t)
    for (Index i = 0; i < k; ++i) {
      sums[i] += Ht(t, i);
      for (Index j = 0; j < k; ++j) gram[i * k + j] += double{Ht(t, i)} * Ht(t, j);
    }
  const Array<double> sums_there(b.device, sums), gram_there(b.device, gram);
  const Array<double> measured(b.device, s.count);
  EntryRows entries = {};
  entries.rows = s.count;
  entries.cols = s.d;
  entries.starts = X.rows().starts;
  entries.first_entry = X.rows().first_entry;
  entries.columns = X.rows().columns;
  entries.x = X.values();
  entries.v = model.data();
  entries.scale = 1;
  entries.beta = 1;
  entries.loss = EntryLoss::divergence;
  for (const bool squares : {false, true}) {
    b.run(kernels.measure_entries, {entries, squares ? EntryMeasure::squares : EntryMeasure::losses,
                                    k, W.in(), squares ? nullptr : sums_there.data(),
                                    squares ? gram_there.data() : nullptr, measured.data()});
    const std::vector<double> found = measured.download();
    for (Index i = 0; i < s.count; ++i) {
      double sum = 0;
      for (Index t = 0; t < s.d; ++t) {
        double v = 0;
        for (Index j = 0; j < k; ++j) v += double{W(i, j)} * Ht(t, j);
        const double x = s.at(i, t);
        // A negative x stands for what Kullback–Leibler does not allow: its logarithm counts as 0.
        sum += squares ? (x - v) * (x - v) : (x > 0 ? x * std::log(x / v) : 0) - x + v;
      }
      near(found[i], sum, 1e-4 * (1 + std::abs(sum)), "entries that are not stored");
    }
  }
}

}  // namespace

int main() {
  const std::vector<Masked> masks = {{"all", false, false, 0, false},
                                     {"bitmap and NaN", true, true, 0, false},
                                     {"held out", false, false, 0.4, false},
                                     {"only held out", false, true, 0.4, true}};
  for (const SparseScene& s : {SparseScene(40, 9, 7, 25), SparseScene(150, 70, 30, 90)}) {
    for (const Index k : {3, 37}) {
      products_agree(s, k);
      columns_have_the_bits_of_one_chunk(s, k);
      entries_agree(s, k);
    }
    entries_that_are_not_stored_count(s, 35);
    for (const Masked& mask : masks)
      for (const bool dense : {false, true})
        for (const Loss& loss : losses) losses_agree(s, dense, mask, loss);
  }
  check_emulation("the entry kernels suite");
  return report("cuda entry kernels");
}
