// What only a device with memory of its own can do wrong: failures of any call, aborts, memory that
// does not fit, streams; and the bits that a GPU shares with the CPU.
#include <algorithm>

#include "backend/cuda/cuda_passes.h"
#include "backend/cuda/row_feed.h"
#include "backend/cuda/row_stream.h"
#include "backend/registry.h"
#include "core/pool.h"
#include "csr.h"
#include "cuda/emulated.h"
#include "factorization_matrices.h"
#include "fixtures.h"
#include "naive_passes.h"

namespace {

using namespace test;
using emulation::runtime_options;

Passes& cpu_device() { return passes_for("cpu"); }

// A fit of each kind of path: kernels of the device, and steps of the CPU.
void run_fits(Passes& device, const Dense& X) {
  fitted(device, X, 3, options(Model::semi_nmf, Solver::hals, Start::random, 1));
  fitted(device, absolute(X), 3, options(Model::nmf, Solver::anls_bpp, Start::random, 1));
}

// Entries >= 0, of which most are 0.
Csr sparse_rows(Index n, Index d) {
  Dense X = absolute(planted(n, d, 3, 5));
  for (Index i = 0; i < n * d; ++i)
    if (i % 3 != 0) X.values[i] = 0;
  return Csr(oracle::Matrix(n, d, {X.values.begin(), X.values.end()}));
}

// The same by entries, and over a sparse X.
void run_fits_by_entries(Passes& device, const Dense& X, const Csr& csr) {
  const auto sparse = csr.source();
  fitted(device, *sparse, 3, options(Model::nmf, Solver::hals, Start::random, 1));
  FitOptions of_counts = options(Model::nmf, Solver::mu, Start::random, 1);
  of_counts.loss = {LossKind::divergence, 1};
  fitted(device, *sparse, 3, of_counts);
  const std::vector<std::uint8_t> seen(X.values.size(), 1);
  for (const Solver solver : {Solver::hals, Solver::anls_bpp}) {
    FitOptions masked = options(Model::nmf, solver, Start::random, 1);
    masked.mask.seen = seen.data();
    const auto dense = absolute(X);
    fitted(device, dense, 3, masked);
  }
}

// Centres of k-means, and products in float64.
void run_reads(Passes& device, const RowSource& X) {
  const Index n = X.rows(), d = X.cols();
  const std::vector<double> rows(2 * d, 0.5), origin(d), weights(n, 0.5), nearest(n, 1e9);
  std::vector<double> distances(2 * n);
  Assigned assigned(n, 2, d);
  const HostView<const double> centers{rows.data(), 2, d, d};
  device.assign({.X = X,
                 .exponent = 0,
                 .centers = centers,
                 .origin = origin,
                 .weights = weights.data(),
                 .far_rows = 2,
                 .draw = nullptr},
                assigned, job());
  device.potentials({.X = X,
                     .exponent = 0,
                     .points = centers,
                     .weights = weights.data(),
                     .nearest = nearest.data()},
                    {distances.data(), n, 2, 2}, job());
  device.squared_products(X, 0, {rows.data(), d, 2, 2}, job());
}

// Runs body with the n-th call failing, for every n until it succeeds; nothing is held afterwards.
template <class Body>
void every_call_may_fail(cudaError_t failure, ErrorCode code, const Body& body) {
  runtime_options.failure = failure;
  long failed = 0;
  for (long n = 1;; ++n) {
    runtime_options.calls_to_fail = n;
    bool threw = false;
    try {
      body();
    } catch (const Error& error) {
      threw = true;
      check(error.code == code || error.code == ErrorCode::out_of_memory ||
                error.code == ErrorCode::device_failure,
            std::string("the code of a failure: ") + error.what());
      check(std::string(error.what()).starts_with("cuda:0"), error.what());
    }
    const bool reached = runtime_options.calls_to_fail == 0;
    runtime_options.calls_to_fail = 0;
    check_emulation("call " + std::to_string(n));
    if (!reached) break;
    failed += threw;
  }
  check(failed > 50, "many calls were made to fail: " + std::to_string(failed));
}

void any_failing_call_is_a_coded_error_and_frees_everything() {
  const Dense X = planted(20, 6, 3, 5);
  const auto body = [&] {
    const auto device = emulated_device();
    run_fits(*cuda::make_passes(device, cpu_device()), X);
  };
  every_call_may_fail(cudaErrorLaunchFailure, ErrorCode::device_failure, body);
  every_call_may_fail(cudaErrorMemoryAllocation, ErrorCode::out_of_memory, body);
}

void any_failing_call_by_entries_is_a_coded_error_too() {
  const Dense X = planted(12, 5, 3, 5);
  const Csr csr = sparse_rows(12, 5);
  every_call_may_fail(cudaErrorLaunchFailure, ErrorCode::device_failure, [&] {
    const auto passes = cuda::make_passes(emulated_device(), cpu_device());
    run_fits_by_entries(*passes, X, csr);
  });
  every_call_may_fail(cudaErrorMemoryAllocation, ErrorCode::out_of_memory, [&] {
    const auto passes = cuda::make_passes(emulated_device(), cpu_device());
    const auto dense = X.source();
    run_reads(*passes, *passes->resident(*dense, job()));
    const auto sparse = csr.source();
    const auto there = passes->resident(*sparse, job());
    passes->squared_products(*there, 0, {nullptr, 5, 0, 0}, job());
  });
}

// A host whose passes, distances and products are not to be asked for.
class RefusingHost : public NaivePasses {
 public:
  void pass(const Pass&, const Job&) override { refuse("a pass"); }
  void assign(const Assignment&, Assigned&, const Job&) override { refuse("labels"); }
  std::vector<double> potentials(const Candidates&, HostView<double>, const Job&) override {
    return refuse("potentials"), std::vector<double>();
  }
  std::vector<double> squared_products(const RowSource&, int, HostView<const double>,
                                       const Job&) override {
    return refuse("products"), std::vector<double>();
  }

 private:
  static void refuse(const char* what) { check(false, std::string(what) + " ran on the CPU"); }
};

// The tests of other suites would also pass if all this were done by the CPU.
void passes_and_reads_run_on_the_device() {
  {
    RefusingHost host;
    const auto passes = cuda::make_passes(emulated_device(), host);
    const Dense X = planted(40, 8, 3, 5);
    const Csr csr = sparse_rows(40, 8);
    const std::vector<std::uint8_t> seen(X.values.size(), 1);
    const auto dense = X.source(), sparse = csr.source();
    for (const RowSource* rows : {sparse.get(), dense.get()})
      for (const Loss& loss : {frobenius_loss, Loss{LossKind::divergence, 1},
                               Loss{LossKind::huber, 2, 1, 0.5}, Loss{LossKind::logistic, 2, 1, 0}})
        for (const bool masked : {false, true}) {
          if (masked && (loss.kind == LossKind::frobenius || loss.kind == LossKind::logistic))
            continue;
          const Factor W(*passes, oracle::random(40, 3, 2, true));
          const Factor Ht(*passes, oracle::random(8, 3, 3, true));
          const NormalMatrix normal = normal_of(Ht.matrix());
          const auto sums = passes->make_sums(8, 3);
          Mask mask = no_mask;
          if (masked) mask.seen = seen.data();
          const Group group{.Ht = Ht.view(),
                            .normal = normal,
                            .step = std::nullopt,
                            .W = W.view(),
                            .measure = Measure::direct,
                            .accumulate = true,
                            .sums = *sums,
                            .mask = mask};
          passes->pass({.X = *rows, .exponent = 0, .groups = {&group, 1}, .loss = loss}, job());
        }
    run_reads(*passes, *dense);
    passes->squared_products(*sparse, 0, {nullptr, 8, 0, 0}, job());
  }
  check_emulation("operations of the device");
}

// Sums of columns have one order, whatever chunks their entries lie in and wherever X is.
void streamed_and_resident_sparse_rows_give_the_same_bits() {
  const Csr csr = sparse_rows(70000, 12);
  const auto sparse = csr.source();
  std::vector<std::vector<float>> found;
  for (const auto& [bytes, eagerness] :
       {std::pair<std::size_t, int>{std::size_t{1} << 31, 0}, {std::size_t{8} << 20, 30}}) {
    runtime_options.device_bytes = bytes;
    runtime_options.eagerness = eagerness;
    const auto passes = cuda::make_passes(emulated_device(), cpu_device());
    const auto resident = passes->resident(*sparse, job());
    check((resident != nullptr) == (eagerness == 0), "which X is resident");
    const auto memory = passes->allocate(70000 + 12);
    const BackendView<float> W{memory.get(), 70000, 1, 1}, Ht{memory.get() + 70000, 12, 1, 1};
    passes->fill_random({Distribution::uniform, 1, 3, 4}, W, job());
    passes->fill_random({Distribution::uniform, 1, 3, 5}, Ht, job());
    const NormalMatrix normal(passes->gram(Ht, job()), 1, 0, false);
    const auto sums = passes->make_sums(12, 1);
    const Group group{.Ht = Ht,
                      .normal = normal,
                      .step = Step{.kind = StepKind::nonnegative_sweep,
                                   .l1 = 0,
                                   .l2 = 0,
                                   .sweeps = 1,
                                   .relaxation = 1},
                      .W = W,
                      .measure = Measure::identity,
                      .accumulate = true,
                      .sums = *sums};
    // Blocks of the range begin at other rows than chunks of the whole X.
    passes->pass({.X = resident ? *resident : *sparse,
                  .exponent = 0,
                  .groups = {&group, 1},
                  .rows = RowRange{.begin = 1000, .count = 68000}},
                 job());
    const std::vector<double> S = passes->cross(*sums);
    found.emplace_back(70000);
    passes->download(W, {found.back().data(), 70000, 1, 1});
    for (const double s : S) found.back().push_back(static_cast<float>(s));
    runtime_options = {};
  }
  check(found[0] == found[1], "sparse rows, streamed and resident");
  check_emulation("sparse streams");
}

void an_abort_frees_everything() {
  const Dense X = planted(600, 20, 3, 5);
  {
    const auto device = emulated_device();
    const auto passes = cuda::make_passes(device, cpu_device());
    std::int32_t stop = 0;
    Job job{.cancellation = Cancellation(&stop), .report = {}, .threads = 2};
    job.report = [&](const Progress& progress) { stop = progress.done >= 2 ? 1 : 0; };
    Dense W = zeros(X.rows, 3), H = zeros(3, X.cols);
    throws<Cancelled>(
        [&] {
          const auto source = X.source();
          fit(*passes, *source, options(Model::semi_nmf, Solver::hals, Start::random, 50),
              {W.values.data(), X.rows, 3, 3}, {H.values.data(), 3, X.cols, X.cols}, job);
        },
        [](auto&) {}, "an abort");
  }
  check_emulation("after an abort");
}

void memory_that_does_not_fit_names_its_bytes() {
  const Dense X = planted(3000, 40, 3, 5);
  runtime_options.device_bytes = 200 << 10;
  {
    const auto device = emulated_device();
    const auto passes = cuda::make_passes(device, cpu_device());
    throws<Error>([&] { run_fits(*passes, X); },
                  [](const Error& error) {
                    check(error.code == ErrorCode::out_of_memory, error.what());
                    check(std::string(error.what()).find("bytes are free") != std::string::npos,
                          error.what());
                  },
                  "X beyond the device");
  }
  runtime_options.device_bytes = std::size_t{1} << 31;
  check_emulation("after memory ran out");
}

Fitted fitted_with(std::size_t device_bytes, int eagerness, const Dense& X) {
  runtime_options.device_bytes = device_bytes;
  runtime_options.eagerness = eagerness;
  const auto device = emulated_device();
  const auto passes = cuda::make_passes(device, cpu_device());
  Fitted result = fitted(*passes, X, 4, options(Model::nmf, Solver::hals, Start::random, 3));
  runtime_options = {};
  return result;
}

// X as a resident copy, X that is streamed because it does not fit, and streams that go on at any
// time: the same bits.
void streamed_and_resident_rows_give_the_same_bits() {
  const Dense X = absolute(planted(33000, 10, 4, 5));
  const Fitted resident = fitted_with(std::size_t{1} << 31, 0, X);
  const std::size_t little = std::size_t{5} << 20;
  for (const int eagerness : {0, 30, 80}) {
    const Fitted streamed = fitted_with(little, eagerness, X);
    same_bits(resident.W.values.data(), streamed.W.values.data(), resident.W.values.size(),
              "W of a streamed X");
    same_bits(resident.H.values.data(), streamed.H.values.data(), resident.H.values.size(),
              "H of a streamed X");
  }
  check_emulation("streams");
}

// Small memory is kept for the next allocation, and compute() may not have used it yet when
// copies() writes to it.
void a_copy_of_rows_does_not_overwrite_memory_that_is_still_read() {
  const auto device = emulated_device();
  const Index n = 32, d = 8;
  const std::vector<float> ones(n * d, 1.0f);
  const cuda::Array<float> to(device, n * d);
  const Index bytes = n * d * Index{sizeof(float)};
  const auto read_later = [&] {
    const cuda::Array<float> from(device, ones);
    to.clear(n * d);
    const cuda::Copy copy{cuda::Direction::within, to.data(), bytes, from.data(), bytes, bytes, 1};
    device->require(device->runtime().copy(device->compute(), &copy));
  };
  const Dense X = absolute(planted(n, d, 2, 5));
  const auto rows = X.source();
  read_later();
  cuda::RowStream(device, *rows, {.begin = 0, .count = n}, job()).each_block([](Index, cuda::In) {
  });
  check(to.download() == ones, "a stream of rows overwrote memory that is still read");
  read_later();
  {
    cuda::RowFeed feed(device, *rows, n);
    feed.bring(0, n, nullptr, job());
    feed.done();
  }
  check(to.download() == ones, "a feed of rows overwrote memory that is still read");
}

void random_numbers_have_the_bits_of_the_cpu() {
  const auto device = emulated_device();
  const auto passes = cuda::make_passes(device, cpu_device());
  const Index n = 70, k = 9;
  for (const Distribution kind : {Distribution::constant, Distribution::uniform,
                                  Distribution::normal, Distribution::half_normal}) {
    const Draws draws{.distribution = kind, .scale = 0.3, .seed = 77, .stream = 5, .first_row = 11};
    std::vector<std::vector<float>> found;
    for (Passes* each : {passes.get(), &cpu_device()}) {
      const auto memory = each->allocate(n * k);
      const BackendView<float> view{memory.get(), n, k, k};
      each->fill_random(draws, view, job());
      found.emplace_back(n * k);
      each->download(view, {found.back().data(), n, k, k});
    }
    same_bits(found[0].data(), found[1].data(), found[0].size(), "random numbers");
  }
}

}  // namespace

int main() {
  any_failing_call_is_a_coded_error_and_frees_everything();
  any_failing_call_by_entries_is_a_coded_error_too();
  passes_and_reads_run_on_the_device();
  streamed_and_resident_sparse_rows_give_the_same_bits();
  an_abort_frees_everything();
  memory_that_does_not_fit_names_its_bytes();
  streamed_and_resident_rows_give_the_same_bits();
  a_copy_of_rows_does_not_overwrite_memory_that_is_still_read();
  random_numbers_have_the_bits_of_the_cpu();
  return report("cuda passes");
}
