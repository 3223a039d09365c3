// The guarded device: an access to its memory by other code ends the process, and no iteration of a
// factorization needs factors on the host.
#include <thread>

#include "ended_by.h"
#include "factorization/factors.h"
#include "factorization_matrices.h"
#include "guarded_passes.h"

namespace {

using namespace test;

void read_from_host(BackendView<float> view) {
  [[maybe_unused]] const float seen = *static_cast<volatile float*>(view.row(3));
}
void write_from_host(BackendView<float> view) { *static_cast<volatile float*>(view.row(3)) = 1; }

void host_code_that_touches_device_memory_dies() {
  GuardedPasses guarded;
  NaivePasses naive;
  const BackendMatrix F(guarded, 2000, 3);
  const BackendMatrix open(naive, 2000, 3);
  guarded.shift(1, F.view(), job());
  check(signal_that_ends([&] { read_from_host(F.view()); }) == SIGSEGV, "a read");
  check(signal_that_ends([&] { write_from_host(F.view()); }) == SIGSEGV, "a write");
  check(signal_that_ends([&] { read_from_host(open.view()); }) == 0, "a read of other memory");
  check(signal_that_ends([&] { guarded.shift(1, F.view(), job()); }) == 0, "an operation");
  Dense values = zeros(2000, 3);
  guarded.download(F.view(), values.view());
  check(std::ranges::all_of(values.values, [](float x) { return x == 1; }), "a download");
}

void memory_is_closed_after_an_exception() {
  GuardedPasses guarded;
  const Dense X = gaussian(20, 4, 1);
  const auto source = X.source();
  const BackendMatrix W(guarded, 20, 2);
  const BackendMatrix Ht(guarded, 4, 2);
  const NormalMatrix normal(std::vector<double>(4), 2, 0, false);
  const auto sums = guarded.make_sums(4, 2);
  const Group group{Ht.view(), normal, std::nullopt, W.view(), Measure::none, true, *sums};
  const std::int32_t flag = 1;
  const Job job{.cancellation = Cancellation(&flag), .report = {}, .threads = 1};
  throws<Cancelled>([&] { guarded.pass({*source, 0, {&group, 1}}, job); }, [](auto&) {}, "a pass");
  check(signal_that_ends([&] { read_from_host(W.view()); }) == SIGSEGV, "a read afterwards");
}

void operations_on_other_memory_die() {
  GuardedPasses guarded;
  const BackendMatrix F(guarded, 10, 3);
  std::vector<float> values(30);
  const BackendView<float> of_host{values.data(), 10, 3, 3};
  const BackendView<float> too_long{F.view().data, 11, 3, 3};
  const HostView<float> of_device{F.view().data, 10, 3, 3};
  check(signal_that_ends([&] { guarded.shift(1, of_host, job()); }) == SIGABRT, "host memory");
  check(signal_that_ends([&] { guarded.shift(1, too_long, job()); }) == SIGABRT, "past the end");
  check(signal_that_ends([&] { guarded.upload(of_device, F.view()); }) == SIGABRT, "an upload");
  check(signal_that_ends([&] { guarded.download(F.view(), of_device); }) == SIGABRT, "a download");
}

void two_threads_share_a_device() {
  GuardedPasses guarded;
  const Dense X = planted(60, 12, 3, 5);
  const auto source = X.source();
  const FitOptions o = options(Model::semi_nmf, Solver::hals, Start::random, 20);
  Fitted results[2];
  std::thread other([&] { results[1] = fitted(guarded, *source, 3, o); });
  results[0] = fitted(guarded, *source, 3, o);
  other.join();
  test::same_bits(results[0].W.values.data(), results[1].W.values.data(), 180, "W of both");
  const BackendMatrix F(guarded, 10, 3);
  check(signal_that_ends([&] { read_from_host(F.view()); }) == SIGSEGV, "a read afterwards");
}

void host_code_that_touches_resident_rows_dies() {
  GuardedPasses guarded;
  const Dense X = gaussian(300, 4, 1);
  const auto source = X.source();
  const auto resident = guarded.resident(*source, job());
  const auto reads = [](const RowSource& rows) {
    RowScratch scratch;
    [[maybe_unused]] const float seen =
        *static_cast<const volatile float*>(rows.block(3, 1, scratch).dense.row(0));
  };
  check(signal_that_ends([&] { reads(*resident); }) == SIGSEGV, "a read");
  check(signal_that_ends([&] { reads(*source); }) == 0, "a read of the caller's rows");
  const Index rows[] = {3, 200};
  const RowCopies copies = guarded.read_rows(*resident, rows, job());
  test::same_bits(copies.values().data(), X.values.data() + 3 * 4, 4, "a copied row");
  test::same_bits(copies.values().data() + 4, X.values.data() + 200 * 4, 4, "another one");
}

// X is uploaded once, also where its entries are too large for products.
void a_fit_reads_resident_rows() {
  for (const float scale : {1.0f, 1e30f}) {
    GuardedPasses guarded;
    Dense X = absolute(planted(80, 16, 4, 7));
    for (float& x : X.values) x *= scale;
    fitted(guarded, *X.source(), 4, options(Model::nmf, Solver::hals, Start::random, 5));
    check(guarded.residents == 1, "X becomes resident once");
    check(guarded.rows_down == 0, "a random start looks at no row");
  }
}

// Elements that cross to the host and from it in a run.
std::pair<Index, Index> crossed(const Dense& X, const FitOptions& options) {
  GuardedPasses guarded;
  fitted(guarded, *X.source(), 4, options);
  return {guarded.down, guarded.up};
}

void iterations_leave_factors_on_the_device() {
  const Dense X = absolute(planted(80, 16, 4, 7));
  std::vector<FitOptions> runs;
  for (const Model model : {Model::semi_nmf, Model::nmf})
    for (const Solver solver : {Solver::hals, Solver::mu})
      for (const Penalties& p : {no_penalty, Penalties{0.1, 0.1, 0.1, 0.1}})
        for (const bool extrapolated : {false, true}) {
          runs.push_back(options(model, solver, Start::random, 0));
          runs.back().penalties = p;
          runs.back().extrapolated = extrapolated;
        }
  for (const double beta : {0.5, 1.0}) {
    runs.push_back(options(Model::nmf, Solver::mu, Start::random, 0));
    runs.back().loss = {LossKind::divergence, beta};
  }
  runs.push_back(options(Model::nmf, Solver::mu, Start::random, 0));
  runs.back().mask = {nullptr, false, false, 0.2, 1};
  runs.push_back(options(Model::snmf, Solver::mu, Start::random, 0));
  runs.push_back(options(Model::semi_orthogonal_nmf, Solver::cayley, Start::random, 0));
  runs.push_back(options(Model::dictionary_learning, Solver::hals, Start::random, 0));
  runs.push_back(options(Model::orthogonal_nmf, Solver::alt_onmf, Start::kmeans, 0));
  for (FitOptions& run : runs) {
    run.max_iterations = 2;
    const auto few = crossed(X, run);
    run.max_iterations = 12;
    check(crossed(X, run) == few, "ten iterations more download or upload nothing more");
  }
}

// The codes of a start from clusters are made of labels, and sums of power iterations stay.
void starts_leave_factors_on_the_device() {
  const Index n = 2000;
  const Dense X = absolute(planted(n, 6, 4, 7));
  const auto [down, up] = crossed(X, options(Model::nmf, Solver::mu, Start::kmeans, 1));
  check(up < n, "a start from clusters uploads no W");
  check(down < 2 * n * 4, "W comes down once");
  for (const Start start : {Start::svd, Start::nndsvd, Start::nndsvda, Start::nndsvdar})
    for (const bool positive : {true, false}) {  // for `svd`, the sign of the first vectors
      Dense values = positive ? X : planted(n, 6, 4, 7);
      const Model model = positive ? Model::nmf : Model::semi_nmf;
      if (!positive && start != Start::svd) continue;
      const auto [of_start, to_start] = crossed(values, options(model, Solver::hals, start, 1));
      check(of_start < n * 4 + n, "a start from singular vectors downloads none of them");
      check(to_start < n, "and uploads no W");
    }
  const auto [of_rows, to_rows] =
      crossed(X, options(Model::semi_orthogonal_nmf, Solver::cayley, Start::svd, 1));
  check(of_rows < n * 4 + n && to_rows < n, "an orthonormal start leaves W and U there");
  const auto of_svd = [&](Index power_iterations) {
    GuardedPasses guarded;
    Dense U = zeros(n, 2), V = zeros(2, 6);
    truncated_svd(guarded, *X.source(),
                  {.rank = 2, .oversamples = 2, .power_iterations = power_iterations, .seed = 1},
                  U.view(), V.view(), job());
    check(guarded.down < 3 * n, "U comes down once");
    return std::pair<Index, Index>(guarded.down, guarded.up);
  };
  check(of_svd(2) == of_svd(8), "power iterations download or upload nothing more");
}

}  // namespace

int main() {
  host_code_that_touches_device_memory_dies();
  host_code_that_touches_resident_rows_dies();
  a_fit_reads_resident_rows();
  memory_is_closed_after_an_exception();
  operations_on_other_memory_die();
  iterations_leave_factors_on_the_device();
  starts_leave_factors_on_the_device();
  two_threads_share_a_device();
  return test::report("guarded");
}
