// Conformance of a backend, against naive float64 and known answers.
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/pool.h"
#include "check.h"
#include "core/float16.h"
#include "oracle.h"

namespace {

using namespace gemmine;
using oracle::Matrix;
using oracle::Penalty;

Job job_of(Index threads) { return {.cancellation = {}, .report = {}, .threads = threads}; }

// A factor in the device's memory.
class Factor {
 public:
  Factor(Backend& backend, const Matrix& values)
      : backend_(backend),
        memory_(backend.allocate(values.rows * values.cols)),
        view_{memory_.get(), values.rows, values.cols, values.cols} {
    const std::vector<float> floats = values.floats();
    backend.upload({floats.data(), values.rows, values.cols, values.cols}, view_);
  }
  BackendView<float> view() const { return view_; }
  std::vector<float> floats() const {
    std::vector<float> out(view_.rows * view_.cols);
    backend_.download(view_, {out.data(), view_.rows, view_.cols, view_.cols});
    return out;
  }
  Matrix matrix() const {
    const std::vector<float> out = floats();
    return {view_.rows, view_.cols, {out.begin(), out.end()}};
  }

 private:
  Backend& backend_;
  std::shared_ptr<float[]> memory_;
  BackendView<float> view_;
};

double largest(const std::vector<double>& values) {
  double out = 0;
  for (double x : values) out = std::max(out, std::abs(x));
  return out;
}

void close(const std::vector<double>& actual, const std::vector<double>& expected, double tolerance,
           const std::string& what, std::source_location at = std::source_location::current()) {
  const double unit = std::max(largest(expected), 1e-300);
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    worst = std::max(worst, std::abs(actual[i] - expected[i]) / unit);
  // A NaN makes the maximum pass by; it shows in the sum.
  double sum = 0;
  for (double x : actual) sum += x;
  test::check(std::isfinite(sum) && actual.size() == expected.size(), what + " is finite", at);
  test::near(worst, 0, tolerance, what, at);
}

Matrix gram_of(const Matrix& F) { return oracle::multiply(oracle::transpose(F), F); }

NormalMatrix normal_of(const Matrix& F, double l2 = 0, bool solvable = false) {
  return NormalMatrix(gram_of(F).data, F.cols, l2, solvable);
}

// ---- Steps on one block.

using BlockOperation = void (Backend::*)(BackendView<const float>, const NormalMatrix&,
                                         const StepOptions&, BackendView<float>);

void sweeps_agree_with_the_formula(Backend& backend) {
  for (Index k : {1, 2, 3, 4, 5, 8, 13, 32, 37})
    for (Index rows : {1, 7, 16, 33, 100})
      for (const Penalty penalty : {Penalty{0, 0}, Penalty{3, 0.5}})
        for (Index sweeps : {1, 3}) {
          const Matrix other = oracle::random(50, k, 1);
          const Matrix positive_other = oracle::random(50, k, 2, true);
          const Matrix X = oracle::random(rows, 50, 3);
          const StepOptions options{penalty.l1, penalty.l2, sweeps};
          const std::string size = " rows " + std::to_string(rows) + " k " + std::to_string(k);

          const auto run = [&](BlockOperation operation, const Matrix& fixed, Matrix start,
                               auto formula, const std::string& name) {
            const Matrix cross = Matrix(rows, k, [&] {
              const std::vector<float> rounded = oracle::multiply(X, fixed).floats();
              return std::vector<double>(rounded.begin(), rounded.end());
            }());
            const Factor factor(backend, start);
            (backend.*operation)(Factor(backend, cross).view(), normal_of(fixed), options,
                                 factor.view());
            const Matrix N = gram_of(fixed);
            for (Index s = 0; s < sweeps; ++s) formula(cross, N, start);
            close(factor.matrix().data, start.data, 2e-4, name + size);
          };
          run(&Backend::nonnegative_sweep, other, oracle::random(rows, k, 4, true),
              [&](auto& C, auto& N, auto& F) { oracle::sweep(C, N, penalty, true, F); }, "sweep");
          run(&Backend::signed_sweep, other, oracle::random(rows, k, 5),
              [&](auto& C, auto& N, auto& F) { oracle::sweep(C, N, penalty, false, F); }, "signed");
          run(&Backend::sign_split_update, other, oracle::random(rows, k, 6, true),
              [&](auto& C, auto& N, auto& F) { oracle::sign_split(C, N, penalty, F); }, "split");
          run(&Backend::multiplicative_update, positive_other, oracle::random(rows, k, 7, true),
              [&](auto& C, auto& N, auto& F) { oracle::multiplicative(C, N, penalty, F); }, "mu");
        }
}

void factors_with_a_stride_are_left_alone_between_rows(Backend& backend) {
  const Index rows = 19;
  const Matrix other = oracle::random(20, 5, 1);
  const Matrix cross = oracle::multiply(oracle::random(rows, 20, 2), other);
  const Factor wide(backend, oracle::random(rows, 8, 3, true));
  const Matrix before = wide.matrix();
  Matrix expected(rows, 5);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < 5; ++j) expected(i, j) = before(i, j);
  const BackendView<float> narrow = {wide.view().data, rows, 5, 8};
  backend.nonnegative_sweep(Factor(backend, cross).view(), normal_of(other), {0, 0, 1}, narrow);
  oracle::sweep(cross, gram_of(other), {0, 0}, true, expected);
  const Matrix after = wide.matrix();
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < 8; ++j)
      test::near(after(i, j), j < 5 ? expected(i, j) : before(i, j), j < 5 ? 1e-4 : 0, "strided");
}

void dead_components_keep_their_columns(Backend& backend) {
  Matrix other = oracle::random(30, 5, 1, true);
  for (Index i = 0; i < 30; ++i) other(i, 2) = 0;
  const Matrix cross = oracle::multiply(oracle::random(40, 30, 2, true), other);
  const Matrix start = oracle::random(40, 5, 3, true);
  for (BlockOperation operation : {&Backend::nonnegative_sweep, &Backend::signed_sweep,
                                   &Backend::multiplicative_update, &Backend::sign_split_update}) {
    const Factor factor(backend, start);
    (backend.*operation)(Factor(backend, cross).view(), normal_of(other), {0, 0, 2}, factor.view());
    const Matrix after = factor.matrix();
    for (Index i = 0; i < 40; ++i) test::near(after(i, 2), start(i, 2), 0, "a dead column");
    for (double x : after.data) test::check(std::isfinite(x), "beside a dead column");
  }
}

void zeros_stay_zeros_under_multiplication(Backend& backend) {
  const Matrix other = oracle::random(30, 4, 1, true);
  Matrix X = oracle::random(20, 30, 2, true);
  for (Index j = 0; j < 30; ++j) X(0, j) = 0;
  Matrix start = oracle::random(20, 4, 3, true);
  start(5, 1) = 0;
  start(6, 0) = 1e-38;
  for (BlockOperation operation : {&Backend::multiplicative_update, &Backend::sign_split_update}) {
    const Factor factor(backend, start);
    (backend.*operation)(Factor(backend, oracle::multiply(X, other)).view(), normal_of(other),
                         {0, 0, 50}, factor.view());
    const Matrix after = factor.matrix();
    test::check(after(5, 1) == 0, "a zero stays");
    for (Index j = 0; j < 4; ++j) test::check(after(0, j) == 0, "a zero row gives zeros");
    for (Index j = 0; j < 80; ++j)
      test::check(after.data[j] == 0 || after.data[j] >= std::numeric_limits<float>::min(),
                  "no subnormal factors");
  }
}

void least_squares(Backend& backend) {
  for (Index k : {1, 3, 8, 21}) {
    const Matrix other = oracle::random(60, k, 1);
    const Matrix truth = oracle::random(45, k, 2);
    const Matrix cross = oracle::multiply(truth, gram_of(other));
    const Factor factor(backend, Matrix(45, k));
    backend.solve_normal(Factor(backend, cross).view(), normal_of(other, 0, true), factor.view());
    close(factor.matrix().data, truth.data, 1e-5, "solve");
  }
}

void dependent_components_keep_their_columns_in_a_solve(Backend& backend) {
  Matrix other = oracle::random(60, 5, 1);
  for (Index i = 0; i < 60; ++i) {
    other(i, 1) = 0;                             // dead
    other(i, 3) = other(i, 0) - 2 * other(i, 2);  // a combination
  }
  const NormalMatrix normal = normal_of(other, 0, true);
  test::check(normal.dependent() == std::vector<Index>({1, 3}), "which are dependent");
  const Matrix truth = oracle::random(45, 5, 2);
  const Matrix cross = oracle::multiply(truth, gram_of(other));
  Matrix start(45, 5);
  for (Index i = 0; i < 45; ++i)
    for (Index j : {1, 3}) start(i, j) = truth(i, j);
  const Factor factor(backend, start);
  backend.solve_normal(Factor(backend, cross).view(), normal, factor.view());
  close(factor.matrix().data, truth.data, 1e-5, "solve with the dependent ones fixed");
}

void nearest_and_copy(Backend& backend) {
  const Matrix centres(3, 2, {0, 0, 4, 0, 0, 4});  // columns of Ht are centres: k = 3, d = 2
  const Matrix Ht = oracle::transpose(centres);
  const Matrix X(4, 2, {1, 0, 3, 1, 2, 2, 0, 9});  // the third is equally far from all
  const Matrix cross = oracle::multiply(X, Ht);
  const Factor factor(backend, Matrix(4, 3));
  backend.nearest_component(Factor(backend, cross).view(), normal_of(Ht), factor.view());
  close(factor.matrix().data, {1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1}, 0, "nearest centres");
  backend.copy_cross(Factor(backend, cross).view(), factor.view());
  close(factor.matrix().data, cross.data, 0, "copy");
}

// ---- Known answers, reference/factorization.md.

void known_answer_semi_mu(Backend& backend) {  // 1.6
  const Matrix X(4, 3, {1, -2, 0, 3, 1, -1, 0, 2, 4, -1, 0, 2});
  const Factor W(backend, Matrix(4, 2, {1, .2, 1, .2, .2, 1, .2, 1}));
  const Factor Ht(backend, Matrix(3, 2));
  const auto solve = [&] {
    const Matrix S = oracle::multiply(oracle::transpose(X), W.matrix());
    backend.solve_normal(Factor(backend, S).view(), normal_of(W.matrix(), 0, true), Ht.view());
  };
  solve();
  close(Ht.matrix().data, {2.1875, -.9375, -.729167, 1.145833, -1.145833, 3.229167}, 1e-6, "F0");
  test::near(oracle::squared_error(X, W.matrix(), Ht.matrix()), 11.5, 1e-5, "SSE 0");
  for (double expected : {8.9180683, 8.16209853, 7.75141205}) {
    const Matrix P = oracle::multiply(X, Ht.matrix());
    backend.sign_split_update(Factor(backend, P).view(), normal_of(Ht.matrix()), {0, 0, 1},
                              W.view());
    if (expected > 8.5)
      close(W.matrix().data,
            {.865222, .213995, 1.118656, .188434, .189099, 1.144353, .213033, .830937}, 1e-6, "G");
    solve();
    test::near(oracle::squared_error(X, W.matrix(), Ht.matrix()), expected, 3e-6, "SSE");
  }
}

const Matrix small_X(3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 10});
const Matrix small_W(3, 2, {1, 1, 1, 2, 2, 1});
const Matrix small_Ht(3, 2, {1, 1, 1, 2, 1, 3});

void known_answer_hals(Backend& backend) {  // 6.10: W, then H
  const Factor W(backend, small_W);
  const Factor Ht(backend, small_Ht);
  const Matrix P = oracle::multiply(small_X, small_Ht);
  backend.nonnegative_sweep(Factor(backend, P).view(), normal_of(small_Ht), {0, 0, 1}, W.view());
  close(W.matrix().data, {0, 1, 1, 1.85714286, 6.33333333, 1.07142857}, 1e-6, "W");
  const Matrix S = oracle::multiply(oracle::transpose(small_X), W.matrix());
  backend.nonnegative_sweep(Factor(backend, S).view(), normal_of(W.matrix()), {0, 0, 1}, Ht.view());
  close(oracle::transpose(Ht.matrix()).data,
        {.96544402, .93359073, 1.05579151, 1.35509374, 2.10619626, 2.81083791}, 1e-6, "H");
  test::near(oracle::squared_error(small_X, W.matrix(), Ht.matrix()), .98203991, 1e-5, "SSE");
}

void known_answer_mu(Backend& backend) {  // 6.10: H, then W
  const Factor W(backend, small_W);
  const Factor Ht(backend, small_Ht);
  const Matrix S = oracle::multiply(oracle::transpose(small_X), small_W);
  backend.multiplicative_update(Factor(backend, S).view(), normal_of(small_W), {0, 0, 1},
                                Ht.view());
  close(oracle::transpose(Ht.matrix()).data,
        {1.72727273, 1.4375, 1.38095238, 1.45454545, 2.35294118, 3.26086957}, 1e-6, "H");
  const Matrix P = oracle::multiply(small_X, Ht.matrix());
  backend.multiplicative_update(Factor(backend, P).view(), normal_of(Ht.matrix()), {0, 0, 1},
                                W.view());
  close(W.matrix().data, {.50390376, .55583263, .80649349, 1.58183176, 3.07674748, 1.57657222},
        1e-6, "W");
  test::near(oracle::squared_error(small_X, W.matrix(), Ht.matrix()), 1.6442947, 1e-5, "SSE");
}

// ---- Sources.

struct Csr {
  explicit Csr(const Matrix& X) : rows(X.rows), cols(X.cols), indptr{0} {
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < cols; ++j)
        if (X(i, j) != 0) {
          indices.push_back(static_cast<std::int32_t>(j));
          values.push_back(static_cast<float>(X(i, j)));
        }
      indptr.push_back(static_cast<double>(values.size()));
    }
  }
  std::unique_ptr<RowSource> source() const {
    return sparse_source(indptr.data(), indices.data(), values.data(), rows, cols);
  }
  Index rows;
  Index cols;
  std::vector<double> indptr;
  std::vector<std::int32_t> indices;
  std::vector<float> values;
};

// A file that is gone at the end of the scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes) : file_(std::tmpfile()) {
    std::fwrite(bytes.data(), 1, bytes.size(), file_);
    std::fflush(file_);
  }
  ~TemporaryFile() { std::fclose(file_); }
  TemporaryFile(const TemporaryFile&) = delete;
  int descriptor() const { return fileno(file_); }

 private:
  std::FILE* file_;
};

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

void sources_widen_what_they_hold() {
  RowScratch scratch;
  const auto row = [&](const RowSource& source) {
    const RowBlock block = source.block(1, 1, scratch);
    return std::vector<double>(block.dense.row(0), block.dense.row(0) + source.cols());
  };
  const std::vector<double> doubles = {9, 9, 0.1, -2.5};
  const std::vector<std::int8_t> signed_bytes = {9, 9, -128, 127};
  const std::vector<std::uint8_t> bytes = {9, 9, 0, 255};
  const std::vector<std::uint16_t> halves = {0, 0, 0x3555, 0x8001};
  close(row(*dense_source(doubles.data(), ElementType::float64, 2, 2, 2)), {0.1f, -2.5}, 0, "f64");
  close(row(*dense_source(signed_bytes.data(), ElementType::int8, 2, 2, 2)), {-128, 127}, 0, "i8");
  close(row(*dense_source(bytes.data(), ElementType::uint8, 2, 2, 2)), {0, 255}, 0, "u8");
  close(row(*dense_source(halves.data(), ElementType::float16, 2, 2, 2)),
        {0.333251953125, -0x1p-24}, 0, "f16");

  const auto scaled = dense_source(doubles.data(), ElementType::float64, 2, 2, 2);
  scaled->scale_exponent = -3;
  close(row(*scaled), {0.1f / 8, -2.5 / 8}, 0, "scaled");

  const TemporaryFile file("head" + bytes_of(doubles));
  const auto from_file = file_source(file.descriptor(), 4, ElementType::float64, 2, 2, "x.npy");
  close(row(*from_file), {0.1f, -2.5}, 0, "file");
  const auto short_file = file_source(file.descriptor(), 12, ElementType::float64, 2, 2, "x.npy");
  test::throws<Error>(
      [&] { row(*short_file); },
      [](const Error& error) {
        test::check(error.code == ErrorCode::file, "its code");
        test::check(std::string(error.what()) ==
                        "x.npy: expected 44 bytes, the file ends after 36",
                    error.what());
      },
      "a short file");
}

void halves_are_exact() {
  for (std::uint32_t h = 0; h < 0x10000; ++h) {
    const int exponent = h >> 10 & 31;
    const double fraction = h & 1023;
    double expected = exponent == 0 ? std::ldexp(fraction, -24)
                                    : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) expected = fraction == 0 ? INFINITY : NAN;
    if (h & 0x8000) expected = -expected;
    const float actual = widen_float16(static_cast<std::uint16_t>(h));
    const bool same = std::isnan(expected)
                          ? std::isnan(actual)
                          : actual == expected && std::signbit(actual) == std::signbit(expected);
    test::check(same, "half " + std::to_string(h));
  }
}

// ---- examine.

void examine_measures(Backend& backend) {
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
        const SourceNorm norm = backend.examine(*source, false, job_of(threads));
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
  const SourceNorm norm = backend.examine(
      *dense_source(zeros.data(), ElementType::float32, 5, 7, 7), true, job_of(2));
  test::check(norm.squared_norm == 0 && norm.exponent == 0 && norm.smallest == 0, "zeros");
}

void examine_finds_the_first_bad_entry(Backend& backend) {
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
            [&] { backend.examine(*source, nonnegative, job_of(threads)); },
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
        backend.examine(*dense_source(huge.data(), ElementType::float64, 2, 2, 2), false, job_of(1));
      },
      [](const InvalidEntry& error) { test::check(error.row == 1 && error.column == 1, "where"); },
      "float64 beyond float32");
}

// ---- pass.

struct PassResult {
  PassSums sums;
  std::vector<float> W;
};

struct PassCase {
  const RowSource& X;
  const Matrix& W;
  const Matrix& Ht;
  int exponent;
  Measure measure;
  const Step* step;
};

PassResult run_pass(Backend& backend, const PassCase& c, Index threads) {
  const Factor W(backend, c.W);
  const Factor Ht(backend, c.Ht);
  PassResult result{PassSums(c.Ht.rows, c.Ht.cols), {}};
  // What an earlier pass left must not show.
  std::ranges::fill(result.sums.cross, 7.0);
  std::ranges::fill(result.sums.gram, 7.0);
  std::ranges::fill(result.sums.incoming_gram, 7.0);
  const NormalMatrix normal = normal_of(c.Ht);
  backend.pass({.X = c.X,
                .exponent = c.exponent,
                .Ht = Ht.view(),
                .normal = normal,
                .row_step = c.step,
                .options = {0.25, 0.125, 1},
                .W = W.view(),
                .measure = c.measure},
               result.sums, job_of(threads));
  result.W = W.floats();
  return result;
}

const Step sweep_step = [](Backend& backend, BackendView<const float> cross,
                           const NormalMatrix& normal, const StepOptions& options,
                           BackendView<float> factor) {
  backend.nonnegative_sweep(cross, normal, options, factor);
};

// `unit` is X·2^-exponent.
void check_pass(const PassCase& c, const Matrix& unit, const PassResult& result,
                const std::string& what) {
  const Matrix P = oracle::multiply(unit, c.Ht);
  Matrix expected = c.W;
  if (c.step != nullptr) oracle::sweep(P, gram_of(c.Ht), {0.25, 0.125}, true, expected);
  const Matrix W(c.W.rows, c.W.cols, {result.W.begin(), result.W.end()});
  close(W.data, expected.data, 1e-4, "W" + what);
  if (c.step != nullptr) {
    const Matrix S = oracle::multiply(oracle::transpose(unit), W);
    close(result.sums.cross, S.data, 2e-6, "S" + what);
    close(result.sums.gram, gram_of(W).data, 1e-6, "R" + what);
  }
  if (c.measure == Measure::identity) {
    close(result.sums.incoming_gram, gram_of(c.W).data, 1e-12, "incoming gram" + what);
    const double scale = std::sqrt(oracle::inner(P, P) * oracle::inner(c.W, c.W));
    test::near(result.sums.incoming_product - oracle::inner(P, c.W), 0, 1e-6 * scale,
               "incoming product" + what);
  }
  if (c.measure == Measure::direct)
    test::near(result.sums.incoming_residual / oracle::squared_error(unit, c.W, c.Ht), 1, 1e-5,
               "incoming residual" + what);
}

void pass_agrees_with_the_formula(Backend& backend) {
  struct Shape { Index n, d, k; };
  for (const Shape shape : {Shape{1, 1, 1}, {7, 5, 3}, {33, 17, 4}, {700, 40, 9}, {2600, 9, 5},
                            {1100, 130, 33}, {40, 3, 8}})
    for (bool sparse : {false, true})
      for (int exponent : {0, 5, -100}) {
        Matrix unit = oracle::random(shape.n, shape.d, 1);
        if (sparse)
          for (double& x : unit.data) x = std::abs(x) < 1 ? 0 : x;
        const Matrix X = oracle::scaled(unit, std::ldexp(1.0, exponent));
        const std::vector<float> floats = X.floats();
        const Csr csr(X);
        const auto source = sparse ? csr.source()
                                   : dense_source(floats.data(), ElementType::float32, shape.n,
                                                  shape.d, shape.d);
        const Matrix W = oracle::random(shape.n, shape.k, 2, true);
        const Matrix Ht = oracle::random(shape.d, shape.k, 3);
        const std::string what = (sparse ? " csr " : " dense ") + std::to_string(shape.n) + "x" +
                                 std::to_string(shape.d) + "x" + std::to_string(shape.k);
        for (Measure measure : {Measure::none, Measure::identity, Measure::direct})
          for (const Step* step : {&sweep_step, static_cast<const Step*>(nullptr)}) {
            const PassCase c{*source, W, Ht, exponent, measure, step};
            const PassResult result = run_pass(backend, c, 2);
            check_pass(c, unit, result, what);
          }
      }
}

void pass_gives_the_same_bits_on_any_number_of_threads(Backend& backend) {
  Matrix X = oracle::random(9000, 70, 1);
  const std::vector<float> floats = X.floats();
  const auto dense = dense_source(floats.data(), ElementType::float32, 9000, 70, 70);
  const TemporaryFile file(bytes_of(floats));
  const auto streamed = file_source(file.descriptor(), 0, ElementType::float32, 9000, 70, "x.npy");
  for (double& x : X.data) x = std::abs(x) < 0.5 ? 0 : x;
  const Csr csr(X);
  const auto sparse = csr.source();
  const Matrix W = oracle::random(9000, 11, 2, true);
  const Matrix Ht = oracle::random(70, 11, 3);
  const auto same = [](const PassResult& a, const PassResult& b, const std::string& what) {
    test::same_bits(a.W.data(), b.W.data(), a.W.size(), "W " + what);
    test::same_bits(a.sums.cross.data(), b.sums.cross.data(), a.sums.cross.size(), "S " + what);
    test::same_bits(a.sums.gram.data(), b.sums.gram.data(), a.sums.gram.size(), "R " + what);
    test::same_bits(&a.sums.incoming_residual, &b.sums.incoming_residual, 1, "residual " + what);
    test::same_bits(&a.sums.incoming_product, &b.sums.incoming_product, 1, "product " + what);
  };
  for (Measure measure : {Measure::identity, Measure::direct}) {
    for (const RowSource* source : {dense.get(), sparse.get()}) {
      const PassCase c{*source, W, Ht, 0, measure, &sweep_step};
      const PassResult one = run_pass(backend, c, 1);
      for (int repeat = 0; repeat < 3; ++repeat)
        for (Index threads : {2, 3}) same(one, run_pass(backend, c, threads), "by threads");
    }
    same(run_pass(backend, {*dense, W, Ht, 0, measure, &sweep_step}, 3),
         run_pass(backend, {*streamed, W, Ht, 0, measure, &sweep_step}, 2), "from a file");
  }
}

void pass_stops_when_told(Backend& backend) {
  const Matrix X = oracle::random(9000, 70, 1);
  const std::vector<float> floats = X.floats();
  const auto source = dense_source(floats.data(), ElementType::float32, 9000, 70, 70);
  const Factor W(backend, Matrix(9000, 4));
  const Factor Ht(backend, oracle::random(70, 4, 2));
  const NormalMatrix normal = normal_of(Ht.matrix());
  PassSums sums(70, 4);
  std::int32_t flag = 0;
  std::atomic<int> calls = 0;
  const auto run = [&](const Step& step) {
    const Job job{.cancellation = Cancellation(&flag), .report = {}, .threads = 3};
    backend.pass({*source, 0, Ht.view(), normal, &step, {0, 0, 1}, W.view(), Measure::none}, sums,
                 job);
  };
  test::throws<std::runtime_error>(
      [&] {
        run([&](auto&&...) {
          if (++calls == 5) throw std::runtime_error("step");
        });
      },
      [](auto& error) { test::check(std::string(error.what()) == "step", error.what()); },
      "a step's exception");
  calls = 0;
  test::throws<Cancelled>(
      [&] {
        run([&](auto&&...) {
          ++calls;
          __atomic_store_n(&flag, 1, __ATOMIC_SEQ_CST);
        });
      },
      [](auto&) {}, "cancellation");
  test::check(calls <= 3, "steps under way end, no other starts");
}

void apply_and_gram(Backend& backend) {
  for (Index rows : {1, 127, 1000}) {
    const Matrix F = oracle::random(rows, 9, 1);
    const Factor factor(backend, F);
    const std::vector<double> one = backend.gram(factor.view(), job_of(1));
    close(one, gram_of(F).data, 1e-13, "gram");
    for (Index threads : {2, 3}) {
      const std::vector<double> many = backend.gram(factor.view(), job_of(threads));
      test::same_bits(one.data(), many.data(), many.size(), "gram by threads");
    }
    const Matrix other = oracle::random(30, 9, 2);
    const Matrix cross = oracle::multiply(oracle::random(rows, 30, 3), other);
    Matrix expected = F;
    for (double& x : expected.data) x = std::abs(x);
    const Factor improved(backend, expected);
    backend.apply(sweep_step, Factor(backend, cross).view(), normal_of(other), {0, 0, 1},
                  improved.view(), job_of(3));
    oracle::sweep(cross, gram_of(other), {0, 0}, true, expected);
    close(improved.matrix().data, expected.data, 1e-4, "apply");
  }
}

void memory_starts_as_zeros(Backend& backend) {
  const auto memory = backend.allocate(1000);
  std::vector<float> out(1000, 1.0f);
  backend.download({memory.get(), 10, 100, 100}, {out.data(), 10, 100, 100});
  test::check(std::ranges::all_of(out, [](float x) { return x == 0; }), "zeroed");
}

void backend_suite(Backend& backend) {
  memory_starts_as_zeros(backend);
  sweeps_agree_with_the_formula(backend);
  factors_with_a_stride_are_left_alone_between_rows(backend);
  dead_components_keep_their_columns(backend);
  zeros_stay_zeros_under_multiplication(backend);
  least_squares(backend);
  dependent_components_keep_their_columns_in_a_solve(backend);
  nearest_and_copy(backend);
  known_answer_semi_mu(backend);
  known_answer_hals(backend);
  known_answer_mu(backend);
  examine_measures(backend);
  examine_finds_the_first_bad_entry(backend);
  pass_agrees_with_the_formula(backend);
  pass_gives_the_same_bits_on_any_number_of_threads(backend);
  pass_stops_when_told(backend);
  apply_and_gram(backend);
}

}  // namespace

int main() {
  cpu::set_pool_threads(3);
  halves_are_exact();
  sources_widen_what_they_hold();
  for (const cpu::Kernels* kernels : cpu::runnable_kernels()) {
    std::printf("cpu kernels: %s\n", *kernels->features == '\0' ? "baseline" : kernels->features);
    backend_suite(*cpu::make_backend(*kernels));
  }
  cpu::stop_pool();
  return test::report("backend");
}
