// What a factorization reads of a matrix in a file: each row once in an iteration, in blocks that a
// thread of its own brings into the cache of the system before.
#include <unistd.h>

#include <atomic>

#include "core/pool.h"
#include "core/read_ahead.h"
#include "core/row_block.h"
#include "factorization/survey/survey.h"
#include "factorization_matrices.h"
#include "fixtures.h"

namespace {

using namespace test;

// Some megabytes: smaller files are not read ahead. For a smaller d·k, iterations that may have to
// be undone are measured by a second read.
constexpr Index n = 2600;
constexpr Index d = 512;
constexpr Index k = 8;
constexpr Index file_bytes = n * d * Index{sizeof(float)};

// Counts the bytes of the blocks that are read.
class CountedSource : public RowSource {
 public:
  explicit CountedSource(std::unique_ptr<RowSource> source) : source_(std::move(source)) {}
  Index rows() const override { return source_->rows(); }
  Index cols() const override { return source_->cols(); }
  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    bytes += count * cols() * Index{sizeof(float)};
    return source_->block(begin, count, scratch);
  }
  std::unique_ptr<ReadAhead> read_ahead(RowRange rows) const override {
    ++passes;
    return source_->read_ahead(rows);
  }
  double entry(Index row, Index column) const override { return source_->entry(row, column); }

  mutable std::atomic<Index> bytes = 0;
  mutable std::atomic<Index> passes = 0;

 private:
  std::unique_ptr<RowSource> source_;
};

// Far from any product of few components: a fit that is right up to rounding is measured by a
// second read too.
Dense positive_rows() { return absolute(gaussian(n, d, 3)); }

struct Stored {
  Dense X = positive_rows();
  TemporaryFile file{bytes_of(X.values)};

  std::unique_ptr<RowSource> source() const {
    return file_source(file.descriptor(), 0, ElementType::float32, n, d, "x.npy");
  }
};

// Bytes that `run(source, iterations)` reads for each iteration beyond the first three.
template <class Run>
void expect_one_read(const Stored& stored, const std::string& name, const Run& run,
                     Index reads = 1) {
  Index bytes[2];
  for (const Index more : {0, 1}) {
    const CountedSource counted(stored.source());
    run(counted, 3 + 2 * more);
    bytes[more] = counted.bytes;
    check(counted.passes > 3, name + ": the rows of each pass are read ahead");
  }
  near(static_cast<double>(bytes[1] - bytes[0]), static_cast<double>(2 * reads * file_bytes), 0,
       name + ": bytes of two iterations");
}

void fits_read_each_row_once_in_an_iteration() {
  const Stored stored;
  const auto expect = [&](const char* name, FitOptions of_fit, Index reads = 1) {
    const auto run = [&](const RowSource& X, Index iterations) {
      of_fit.max_iterations = of_fit.patience = iterations;
      fitted(passes_for("cpu"), X, k, of_fit);
    };
    expect_one_read(stored, name, run, reads);
  };
  const auto extrapolated = [](FitOptions of_fit) {
    of_fit.extrapolated = true;
    of_fit.inner_sweeps = 2;
    return of_fit;
  };
  const FitOptions hals = options(Model::nmf, Solver::hals, Start::random, 0);
  const FitOptions mu = options(Model::nmf, Solver::mu, Start::random, 0);
  const FitOptions semi = options(Model::semi_nmf, Solver::hals, Start::random, 0);
  FitOptions divergence = mu;
  divergence.loss = {LossKind::divergence, 1};
  FitOptions sparse_rows = options(Model::snmf, Solver::mu, Start::random, 0);
  sparse_rows.kept_share = 0.5;
  expect("nmf by hals", hals);
  expect("nmf by extrapolated hals", extrapolated(hals));
  expect("nmf by mu", mu);
  expect("nmf by extrapolated mu", extrapolated(mu));
  expect("nmf by Kullback-Leibler", divergence);
  expect("semi-nmf", semi);
  expect("semi-nmf, extrapolated", extrapolated(semi));
  expect("snmf", sparse_rows);
  expect("semi-orthogonal nmf", options(Model::semi_orthogonal_nmf, Solver::cayley, Start::svd, 0));
  constexpr Solver gradient = Solver::projected_gradient;
  expect("convex-nmf", options(Model::convex_nmf, gradient, Start::random, 0), 2);
  expect("archetypal analysis", options(Model::archetypal_analysis, gradient, Start::random, 0), 2);
  FitOptions volume = options(Model::min_volume_nmf, Solver::hals, Start::random, 0);
  volume.hull.volume = 0.1;
  expect("minimum-volume nmf", volume);
  expect("dictionary learning",
         options(Model::dictionary_learning, Solver::hals, Start::random, 0));
  expect("orthogonal nmf", options(Model::orthogonal_nmf, Solver::alt_onmf, Start::random, 0));
}

void other_methods_read_each_row_once_in_an_iteration() {
  const Stored stored;
  Passes& device = passes_for("cpu");
  expect_one_read(stored, "k-means", [&](const RowSource& X, Index iterations) {
    std::vector<std::int32_t> labels(n);
    Dense centers = zeros(40, d);
    const KmeansResult run =
        kmeans(device, X,
               {.clusters = centers.rows, .max_iterations = iterations, .tolerance = 0, .seed = 1},
               labels.data(), centers.view(), job());
    check(run.iterations == iterations, "k-means runs them all");
  });
  expect_one_read(stored, "svd", [&](const RowSource& X, Index iterations) {
    Dense U = zeros(n, k), V = zeros(k, d);
    truncated_svd(device, X,
                  {.rank = k, .oversamples = 4, .power_iterations = iterations, .seed = 1},
                  U.view(), V.view(), job());
  });
}

// A survey of two ranks with three restarts each.
void restarts_that_fit_in_memory_share_one_read_in_an_iteration() {
  const Stored stored;
  const auto surveyed = [&](Index at_once) {
    return [&stored, at_once](const RowSource& X, Index iterations) {
      std::vector<Dense> outputs;
      std::vector<AskedRank> ranks;
      for (const Index rank : {k, k + 1}) {
        outputs.push_back(zeros(rank, d));
        outputs.push_back(zeros(3 * rank, d));
      }
      for (std::size_t i = 0; i < outputs.size(); i += 2)
        ranks.push_back({options(Model::nmf, Solver::hals, Start::random, iterations), std::nullopt,
                         outputs[i].view(), outputs[i + 1].view()});
      survey(passes_for("cpu"), X, ranks,
             {.restarts = 3, .amplitude = 0.03, .copies = false, .at_once = at_once}, job());
    };
  };
  expect_one_read(stored, "all restarts of two ranks", surveyed(6));
  expect_one_read(stored, "four restarts, then two", surveyed(4), 2);
  expect_one_read(stored, "one restart after the other", surveyed(1), 6);
}

void a_transform_reads_each_row_a_few_times() {
  const Stored stored;
  const CountedSource counted(stored.source());
  const Dense H = absolute(gaussian(k, d, 9));
  Dense W = zeros(n, k);
  transform(passes_for("cpu"), counted, H.view(),
            {.model = Model::nmf, .loss = frobenius_loss, .l1_w = 0, .l2_w = 0}, W.view(), job());
  check(counted.bytes % file_bytes == 0 && counted.bytes <= 4 * file_bytes,
        "to check them, to code them, to settle the codes and to measure their error");
}

void a_file_has_the_bits_of_memory() {
  const Stored stored;
  const FitOptions of_fit = options(Model::nmf, Solver::hals, Start::random, 3);
  const Fitted in_memory = fitted(stored.X, k, of_fit);
  const Fitted in_file = fitted(passes_for("cpu"), *stored.source(), k, of_fit);
  check(in_memory.W.values == in_file.W.values && in_memory.H.values == in_file.H.values,
        "the factors of a file are those of memory");
}

// Runs a fit whose report does `what` after the first iteration.
template <class What>
void fit_until(const Stored& stored, const std::int32_t* flag, const What& what) {
  Dense W = zeros(n, k), H = zeros(k, d);
  const auto report = [&](const Progress& progress) {
    if (std::string(progress.phase) == "iterate" && progress.done == 1) what();
  };
  fit(passes_for("cpu"), *stored.source(), options(Model::nmf, Solver::hals, Start::random, 50),
      W.view(), H.view(), {.cancellation = Cancellation(flag), .report = report, .threads = 2});
}

void a_file_that_shrinks_during_a_fit_is_an_error() {
  const Stored stored;
  const std::int32_t never = 0;
  throws<Error>(
      [&] {
        fit_until(stored, &never, [&] {
          check(::ftruncate(stored.file.descriptor(), file_bytes / 2) == 0, "the file shrinks");
        });
      },
      [](const Error& error) { check(error.code == ErrorCode::file, error.what()); },
      "a file that shrinks");
}

void an_aborted_fit_of_a_file_ends() {
  const Stored stored;
  std::int32_t flag = 0;
  bool cancelled = false;
  try {
    fit_until(stored, &flag, [&] { __atomic_store_n(&flag, 1, __ATOMIC_RELAXED); });
  } catch (const Cancelled&) {
    cancelled = true;
  }
  check(cancelled, "a fit of a file is cancelled");
}

void reading_ahead_ends_at_once() {
  const Stored stored;
  const RowsInFile rows{
      .fd = stored.file.descriptor(), .offset = 0, .row_bytes = d * Index{sizeof(float)}};
  for (int i = 0; i < 20; ++i) ReadAhead(rows, {.begin = 0, .count = n}).reached(i);
  ReadAhead beyond(rows, {.begin = n / 2, .count = 4 * n});  // the file ends before
  beyond.reached(4 * n);
  ReadAhead closed({.fd = -1, .offset = 0, .row_bytes = 1 << 20}, {.begin = 0, .count = 100});
  closed.reached(50);
}

}  // namespace

int main() {
  set_pool_threads(3);
  fits_read_each_row_once_in_an_iteration();
  other_methods_read_each_row_once_in_an_iteration();
  restarts_that_fit_in_memory_share_one_read_in_an_iteration();
  a_transform_reads_each_row_a_few_times();
  a_file_has_the_bits_of_memory();
  a_file_that_shrinks_during_a_fit_is_an_error();
  an_aborted_fit_of_a_file_ends();
  reading_ahead_ends_at_once();
  return report("reads");
}
