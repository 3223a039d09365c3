// Conformance of a backend's operations that read X, compared with naive float64.
#include <cmath>
#include <cstring>

#include "devices.h"
#include "fixtures.h"

namespace {

using namespace test;

// ---- pass.

struct PassResult {
  std::vector<double> cross;
  std::vector<double> gram;
  std::vector<double> incoming_gram;
  double incoming_product;
  double incoming_residual;
  std::vector<float> W;
};

struct PassCase {
  const RowSource& X;
  const Matrix& W;
  const Matrix& Ht;
  int exponent;
  Measure measure;
  std::optional<Step> step;
  bool sums = true;
};

constexpr Step sweep_step{
    .kind = StepKind::nonnegative_sweep, .l1 = 0.25, .l2 = 0.125, .sweeps = 1, .relaxation = 1.3};

// The groups of one pass; X and exponent are those of the first.
std::vector<PassResult> run_groups(Passes& backend, const std::vector<PassCase>& cases,
                                   Index threads) {
  std::vector<std::unique_ptr<Factor>> factors;
  std::vector<std::unique_ptr<Sums>> sums;
  std::vector<NormalMatrix> normals;
  for (const PassCase& c : cases) {
    factors.push_back(std::make_unique<Factor>(backend, c.W));
    factors.push_back(std::make_unique<Factor>(backend, c.Ht));
    sums.push_back(backend.make_sums(c.Ht.rows, c.Ht.cols));
    normals.push_back(normal_of(c.Ht));
  }
  std::vector<Group> groups;
  for (std::size_t g = 0; g < cases.size(); ++g)
    groups.push_back({.Ht = factors[2 * g + 1]->view(),
                      .normal = normals[g],
                      .step = cases[g].step,
                      .W = factors[2 * g]->view(),
                      .measure = cases[g].measure,
                      .accumulate = cases[g].sums,
                      .sums = *sums[g]});
  const Pass pass{.X = cases[0].X, .exponent = cases[0].exponent, .groups = groups};
  // What an earlier pass left must not show: it runs twice from the same W.
  for (int twice = 0; twice < 2; ++twice) {
    for (std::size_t g = 0; g < cases.size(); ++g)
      backend.copy(Factor(backend, cases[g].W).view(), factors[2 * g]->view());
    backend.pass(pass, job_of(threads));
  }
  std::vector<PassResult> results;
  for (std::size_t g = 0; g < cases.size(); ++g)
    results.push_back({backend.cross(*sums[g]), sums[g]->gram, sums[g]->incoming_gram,
                       sums[g]->incoming_product, sums[g]->incoming_residual,
                       factors[2 * g]->floats()});
  return results;
}

PassResult run_pass(Passes& backend, const PassCase& c, Index threads) {
  return run_groups(backend, {c}, threads)[0];
}

// `unit` is X·2^-exponent.
void check_pass(const PassCase& c, const Matrix& unit, const PassResult& result,
                const std::string& what) {
  const Matrix P = oracle::multiply(unit, c.Ht);
  Matrix expected = c.W;
  if (c.step) oracle::nonnegative_sweep(P, gram_of(c.Ht), {0.25, 0.125}, 1.3, expected);
  const Matrix W(c.W.rows, c.W.cols, {result.W.begin(), result.W.end()});
  close(W.data, expected.data, 1e-4, "W" + what);
  if (c.sums) {
    const Matrix S = oracle::multiply(oracle::transpose(unit), W);
    close(result.cross, S.data, 2e-6, "S" + what);
    close(result.gram, gram_of(W).data, 2e-6, "R" + what);
  }
  if (c.measure == Measure::identity) {
    close(result.incoming_gram, gram_of(c.W).data, 1e-12, "incoming gram" + what);
    const double scale = std::sqrt(oracle::inner(P, P) * oracle::inner(c.W, c.W));
    test::near(result.incoming_product - oracle::inner(P, c.W), 0, 1e-6 * scale,
               "incoming product" + what);
  }
  if (c.measure == Measure::direct || c.measure == Measure::exact)
    test::near(result.incoming_residual / oracle::squared_error(unit, c.W, c.Ht), 1,
               c.measure == Measure::exact ? 1e-12 : 1e-5, "incoming residual" + what);
}

void pass_agrees_with_the_formula(Passes& backend) {
  struct Shape {
    Index n, d, k;
  };
  for (Shape shape : {Shape{1, 1, 1},
                      {7, 5, 3},
                      {33, 17, 4},
                      {700, 40, 9},
                      {2600, 9, 5},
                      {1100, 130, 33},
                      {40, 3, 8}}) {
    shape.n = shortened(backend, shape.n);
    for (bool sparse : {false, true})
      for (int exponent : {-100, 0, 5}) {
        if (exponent >= 0 && is_slow(backend)) continue;
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
        for (Measure measure : {Measure::none, Measure::identity, Measure::direct, Measure::exact})
          for (const std::optional<Step>& step : {std::optional(sweep_step), std::optional<Step>()})
            for (bool sums : {true, false}) {
              if (measure == Measure::exact && (!step || !sums)) continue;
              const PassCase c{*source, W, Ht, exponent, measure, step, sums};
              check_pass(c, unit, run_pass(backend, c, 2), what);
            }
      }
  }
}

void same_bits(const PassResult& a, const PassResult& b, const std::string& what) {
  test::same_bits(a.W.data(), b.W.data(), a.W.size(), "W " + what);
  test::same_bits(a.cross.data(), b.cross.data(), a.cross.size(), "S " + what);
  test::same_bits(a.gram.data(), b.gram.data(), a.gram.size(), "R " + what);
  test::same_bits(&a.incoming_residual, &b.incoming_residual, 1, "residual " + what);
  test::same_bits(&a.incoming_product, &b.incoming_product, 1, "product " + what);
}

void pass_gives_the_same_bits_on_any_number_of_threads(Passes& backend) {
  const Index n = shortened(backend, 9000);
  Matrix X = oracle::random(n, 70, 1);
  const std::vector<float> floats = X.floats();
  const auto dense = dense_source(floats.data(), ElementType::float32, n, 70, 70);
  const TemporaryFile file(bytes_of(floats));
  const auto streamed = file_source(file.descriptor(), 0, ElementType::float32, n, 70, "x.npy");
  for (double& x : X.data) x = std::abs(x) < 0.5 ? 0 : x;
  const Csr csr(X);
  const auto sparse = csr.source();
  const Matrix W = oracle::random(n, 11, 2, true);
  const Matrix Ht = oracle::random(70, 11, 3);
  for (Measure measure : {Measure::identity, Measure::direct}) {
    for (const RowSource* source : {dense.get(), sparse.get()}) {
      const PassCase c{*source, W, Ht, 0, measure, sweep_step};
      const PassResult one = run_pass(backend, c, 1);
      for (int repeat = 0; repeat < 3; ++repeat)
        for (Index threads : {2, 3}) same_bits(one, run_pass(backend, c, threads), "by threads");
    }
    same_bits(run_pass(backend, {*dense, W, Ht, 0, measure, sweep_step}, 3),
              run_pass(backend, {*streamed, W, Ht, 0, measure, sweep_step}, 2), "from a file");
  }
}

void groups_of_one_pass_give_the_bits_of_passes_of_their_own(Passes& backend) {
  const Index n = shortened(backend, 3000);
  Matrix X = oracle::random(n, 300, 1);
  const std::vector<float> floats = X.floats();
  const auto dense = dense_source(floats.data(), ElementType::float32, n, 300, 300);
  const TemporaryFile file(bytes_of(floats));
  const auto streamed = file_source(file.descriptor(), 0, ElementType::float32, n, 300, "x.npy");
  for (double& x : X.data) x = std::abs(x) < 1.5 ? 0 : x;
  const Csr csr(X);
  const auto sparse = csr.source();
  for (const RowSource* source : {dense.get(), streamed.get(), sparse.get()}) {
    std::vector<Matrix> W;
    std::vector<Matrix> Ht;
    for (const Index k : {5, is_slow(backend) ? 12 : 120, 1}) {
      W.push_back(oracle::random(n, k, 2, true));
      Ht.push_back(oracle::random(300, k, 3));
    }
    const std::vector<PassCase> cases = {{*source, W[0], Ht[0], 0, Measure::identity, sweep_step},
                                         {*source, W[1], Ht[1], 0, Measure::direct, sweep_step},
                                         {*source, W[2], Ht[2], 0, Measure::none, std::nullopt}};
    const std::vector<PassResult> together = run_groups(backend, cases, 3);
    for (std::size_t g = 0; g < cases.size(); ++g)
      same_bits(together[g], run_pass(backend, cases[g], 2), "of group " + std::to_string(g));
  }
}

void pass_stops_when_told(Passes& backend) {
  const Matrix X = oracle::random(9000, 70, 1);
  const std::vector<float> floats = X.floats();
  const auto source = dense_source(floats.data(), ElementType::float32, 9000, 70, 70);
  const Factor W(backend, Matrix(9000, 4));
  const Factor Ht(backend, oracle::random(70, 4, 2));
  const NormalMatrix normal = normal_of(Ht.matrix());
  const auto sums = backend.make_sums(70, 4);
  const Group group{Ht.view(), normal, sweep_step, W.view(), Measure::none, true, *sums};
  const std::int32_t flag = 1;
  const Job job{.cancellation = Cancellation(&flag), .report = {}, .threads = 3};
  test::throws<Cancelled>([&] { backend.pass({*source, 0, {&group, 1}}, job); }, [](auto&) {},
                          "cancellation");
  test::check(std::ranges::all_of(W.floats(), [](float w) { return w == 0; }), "no block ran");
}

void backend_suite(Passes& backend) {
  pass_agrees_with_the_formula(backend);
  pass_gives_the_same_bits_on_any_number_of_threads(backend);
  groups_of_one_pass_give_the_bits_of_passes_of_their_own(backend);
  pass_stops_when_told(backend);
}

}  // namespace

int main() {
  each_device(backend_suite);
  return test::report("backend");
}
