// Conformance of a backend in what reads X and whole factors, against naive float64.
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/pool.h"
#include "fixtures.h"
#include "small_problems.h"

namespace {

using namespace test;

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
  const SourceNorm norm =
      backend.examine(*dense_source(zeros.data(), ElementType::float32, 5, 7, 7), true, job_of(2));
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
        const auto source = dense_source(huge.data(), ElementType::float64, 2, 2, 2);
        backend.examine(*source, false, job_of(1));
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
  bool sums = true;
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
                .options = {0.25, 0.125, 1, 1.3},
                .W = W.view(),
                .measure = c.measure,
                .sums = c.sums},
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
  if (c.step != nullptr) oracle::nonnegative_sweep(P, gram_of(c.Ht), {0.25, 0.125}, 1.3, expected);
  const Matrix W(c.W.rows, c.W.cols, {result.W.begin(), result.W.end()});
  close(W.data, expected.data, 1e-4, "W" + what);
  if (c.sums) {
    const Matrix S = oracle::multiply(oracle::transpose(unit), W);
    close(result.sums.cross, S.data, 2e-6, "S" + what);
    close(result.sums.gram, gram_of(W).data, 2e-6, "R" + what);
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
  struct Shape {
    Index n, d, k;
  };
  for (const Shape shape : {Shape{1, 1, 1},
                            {7, 5, 3},
                            {33, 17, 4},
                            {700, 40, 9},
                            {2600, 9, 5},
                            {1100, 130, 33},
                            {40, 3, 8}})
    for (bool sparse : {false, true})
      for (int exponent : {0, 5, -100}) {
        Matrix unit = oracle::random(shape.n, shape.d, 1);
        if (sparse)
          for (double& x : unit.data) x = std::abs(x) < 1 ? 0 : x;
        const Matrix X = oracle::scaled(unit, std::ldexp(1.0, exponent));
        const std::vector<float> floats = X.floats();
        const Csr csr(X);
        const auto source =
            sparse ? csr.source()
                   : dense_source(floats.data(), ElementType::float32, shape.n, shape.d, shape.d);
        const Matrix W = oracle::random(shape.n, shape.k, 2, true);
        const Matrix Ht = oracle::random(shape.d, shape.k, 3);
        const std::string what = (sparse ? " csr " : " dense ") + std::to_string(shape.n) + "x" +
                                 std::to_string(shape.d) + "x" + std::to_string(shape.k);
        for (Measure measure : {Measure::none, Measure::identity, Measure::direct})
          for (const Step* step : {&sweep_step, static_cast<const Step*>(nullptr)}) {
            for (bool sums : {true, false}) {
              const PassCase c{*source, W, Ht, exponent, measure, step, sums};
              check_pass(c, unit, run_pass(backend, c, 2), what);
            }
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

Matrix symmetric(Index k, std::uint64_t seed) {
  const Matrix A = oracle::random(k, k, seed);
  Matrix S(k, k);
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < k; ++j) S(i, j) = A(i, j) + A(j, i);
  return S;
}

HostView<double> view(Matrix& A) { return {A.data.data(), A.rows, A.cols, A.cols}; }

void eigenvalues_agree_with_jacobi(Backend& backend) {
  for (Index k : {1, 2, 3, 7, 40}) {
    const Matrix A = symmetric(k, 9);
    Matrix vectors = A;
    Matrix rotated = A;
    const std::vector<double> values = backend.symmetric_eigen(view(vectors));
    close(values, oracle::symmetric_eigen(view(rotated)), 1e-12, "eigenvalues, descending");
    Matrix stretched = vectors;
    for (Index i = 0; i < k; ++i)
      for (Index t = 0; t < k; ++t) stretched(i, t) *= values[i];
    close(oracle::multiply(vectors, A).data, stretched.data, 1e-12, "rows are eigenvectors");
  }
}

void rows_become_orthonormal(Backend& backend) {
  for (const auto& [k, d] : {std::pair<Index, Index>{1, 1}, {1, 5}, {4, 4}, {6, 50}, {33, 40}}) {
    Matrix A = oracle::random(k, d, 11);
    if (k > 3)
      for (Index t = 0; t < d; ++t) A(2, t) = A(0, t) - 3 * A(1, t), A(3, t) = 0;
    Matrix Q = A;
    Matrix expected = A;
    backend.orthonormalise_rows(view(Q));
    oracle::orthonormalise_rows(view(expected));
    Matrix identity(k, k);
    for (Index i = 0; i < k; ++i) identity(i, i) = 1;
    close(oracle::multiply(Q, oracle::transpose(Q)).data, identity.data, 1e-12, "orthonormal");
    for (Index i = 0; i < std::min<Index>(k, 2); ++i)
      for (Index t = 0; t < d; ++t)
        test::near(Q(i, t), expected(i, t), 1e-12, "each within the span of those before it");
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
    backend.pass(
        {*source, 0, Ht.view(), normal, &step, {0, 0, 1, 1}, W.view(), Measure::none, true}, sums,
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
    backend.apply(sweep_step, Factor(backend, cross).view(), normal_of(other), {0, 0, 1, 1},
                  improved.view(), job_of(3));
    oracle::nonnegative_sweep(cross, gram_of(other), {0, 0}, 1, expected);
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
  examine_measures(backend);
  examine_finds_the_first_bad_entry(backend);
  pass_agrees_with_the_formula(backend);
  pass_gives_the_same_bits_on_any_number_of_threads(backend);
  eigenvalues_agree_with_jacobi(backend);
  rows_become_orthonormal(backend);
  pass_stops_when_told(backend);
  apply_and_gram(backend);
}

}  // namespace

int main() {
  cpu::set_pool_threads(3);
  for (const cpu::Kernels* kernels : cpu::runnable_kernels()) {
    std::printf("cpu kernels: %s\n", *kernels->features == '\0' ? "baseline" : kernels->features);
    backend_suite(*cpu::make_backend(*kernels));
  }
  cpu::stop_pool();
  return test::report("backend");
}
