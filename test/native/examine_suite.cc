// Conformance of the first read of X, compared with naive float64.
#include <cmath>
#include <limits>

#include "devices.h"
#include "fixtures.h"

namespace {

using namespace test;

void examine_measures(Passes& backend) {
  for (double magnitude : {1.0, 0x1p120, 0x1p-120, 0x1p-149}) {
    Matrix X = oracle::random(900, 117, 1);
    if (magnitude == 0x1p-149)
      for (double& x : X.data) x = std::round(x);
    X = oracle::scaled(X, magnitude);
    const std::vector<float> floats = X.floats();
    const auto dense = dense_source(floats.data(), ElementType::float32, 900, 117, 117);
    const Csr csr(X);
    const auto sparse = csr.source();
    for (const RowSource* source : {dense.get(), sparse.get()})
      for (Index threads : {1, 2, 3}) {
        const SourceNorm norm =
            backend.examine({.X = *source, .sign = EntrySign::any}, job_of(threads));
        const double top = std::ldexp(largest(X.data), -norm.exponent);
        test::check(top >= 1 && top < 2, "the exponent brings max|X| into [1, 2)");
        const Matrix unit = oracle::scaled(X, std::ldexp(1.0, -norm.exponent));
        const double squares = oracle::inner(unit, unit);
        double sum = 0;
        for (double x : unit.data) sum += x;
        test::near(norm.squared_norm / squares, 1, 1e-12, "squared norm");
        test::near((norm.sum - sum) / squares, 0, 1e-12, "sum");
        test::check(norm.smallest == *std::ranges::min_element(X.data), "smallest");
      }
  }
  const std::vector<float> zeros(35);
  const SourceNorm norm =
      backend.examine({.X = *dense_source(zeros.data(), ElementType::float32, 5, 7, 7),
                       .sign = EntrySign::nonnegative},
                      job_of(2));
  test::check(norm.squared_norm == 0 && norm.exponent == 0 && norm.smallest == 0, "zeros");
}

void examine_finds_the_first_bad_entry(Passes& backend) {
  Matrix X = oracle::random(3000, 61, 1, true);
  X(2900, 3) = INFINITY;
  X(1500, 60) = NAN;
  X(1500, 59) = -1e-40;
  X(2000, 0) = NAN;
  const std::vector<float> floats = X.floats();
  const auto dense = dense_source(floats.data(), ElementType::float32, 3000, 61, 61);
  const Csr csr(X);
  const auto sparse = csr.source();
  sparse->argument = "queries";
  for (const RowSource* source : {dense.get(), sparse.get()})
    for (Index threads : {1, 2, 3})
      for (bool nonnegative : {false, true})
        test::throws<InvalidEntry>(
            [&] {
              backend.examine(
                  {.X = *source, .sign = nonnegative ? EntrySign::nonnegative : EntrySign::any},
                  job_of(threads));
            },
            [&](const InvalidEntry& error) {
              test::check(error.row == 1500 && error.column == (nonnegative ? 59 : 60), "where");
              test::check(error.argument == source->argument, "which argument");
              test::check(
                  error.expected == (nonnegative ? "a non-negative number" : "a finite number"),
                  error.expected);
            },
            "a bad entry");
  const std::vector<double> huge = {1, 2, 3, 1e39};
  test::throws<InvalidEntry>(
      [&] {
        const auto source = dense_source(huge.data(), ElementType::float64, 2, 2, 2);
        backend.examine({.X = *source, .sign = EntrySign::any}, job_of(1));
      },
      [](const InvalidEntry& error) { test::check(error.row == 1 && error.column == 1, "where"); },
      "float64 beyond float32");
}

// Zeros of a sparse X that are held out, and stored NaN that are missing, do not count.
void entries_that_a_mask_excludes_do_not_count(Passes& backend) {
  Matrix X = oracle::random(60, 13, 1);
  for (std::size_t t = 0; t < X.data.size(); t += 3) X.data[t] = 0;
  X(4, 5) = X(4, 6) = NAN;
  const std::vector<float> floats = X.floats();
  const auto dense = dense_source(floats.data(), ElementType::float32, 60, 13, 13);
  const Csr csr(X);
  const auto sparse = csr.source();
  for (const double share : {0.0, 0.3})
    for (const bool only_held_out : {false, share > 0}) {
      const Mask mask{nullptr, true, false, share, 7, only_held_out};
      double count = 0, sum = 0;
      for (Index i = 0; i < 60; ++i)
        for (Index t = 0; t < 13; ++t) {
          if (std::isnan(X(i, t)) || (share > 0 && is_held_out(mask, i, t))) continue;
          count += 1;
          sum += static_cast<float>(X(i, t));
        }
      for (const RowSource* source : {dense.get(), sparse.get()}) {
        const SourceNorm norm =
            backend.examine({.X = *source, .sign = EntrySign::any, .mask = mask}, job_of(2));
        test::near(norm.count, count, 0, "entries that count");
        test::near(std::ldexp(norm.sum, norm.exponent), sum, 1e-9, "their sum");
      }
    }
}

void examine_suite(Passes& backend) {
  entries_that_a_mask_excludes_do_not_count(backend);
  examine_measures(backend);
  examine_finds_the_first_bad_entry(backend);
}

}  // namespace

int main() {
  each_device(examine_suite);
  return test::report("examine");
}
