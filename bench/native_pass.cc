// What share of a square product's rate does a whole semi-NMF iteration reach? n d k of the
// iteration, repeats and threads are arguments. Rates count 4·n·d·k operations; the two run in
// turn. On a busy machine the shares by CPU time are more reliable.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "backend/cpu/cpu_passes.h"
#include "backend/registry.h"
#include "core/linear_algebra.h"
#include "core/pool.h"
#include "core/random.h"

extern char** environ;

namespace {

using namespace gemmine;

struct Rate {
  double wall;  // GFLOP/s
  double cpu;   // GFLOP/s per thread
};

double seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Rate rate(double operations, const std::function<void()>& work) {
  const double wall = seconds(CLOCK_MONOTONIC);
  const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  work();
  return {1e-9 * operations / (seconds(CLOCK_MONOTONIC) - wall),
          1e-9 * operations / (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu)};
}

std::vector<float> random_floats(Index count, std::uint32_t stream, bool nonnegative) {
  const CounterRandom random(1, stream);
  std::vector<float> out(count);
  for (Index i = 0; i < count; ++i) {
    const double value = random.normal(i, 0);
    out[i] = static_cast<float>(nonnegative ? std::abs(value) : value);
  }
  return out;
}

// A square product of 2048, split over the threads by rows.
class SquareProduct {
 public:
  Rate run(const Job& job) {
    const Index parts = worker_count(job);
    return rate(2.0 * size * size * size, [&] {
      parallel_for(job, parts, [&](Index part, Index) {
        const Index begin = size * part / parts;
        const Index rows = size * (part + 1) / parts - begin;
        multiply(HostView<const float>{A_.data() + begin * size, rows, size, size},
                 HostView<const float>{B_.data(), size, size, size},
                 HostView<float>{C_.data() + begin * size, rows, size, size});
      });
    });
  }

 private:
  static constexpr Index size = 2048;
  std::vector<float> A_ = random_floats(size * size, 1, false);
  std::vector<float> B_ = random_floats(size * size, 2, false);
  std::vector<float> C_ = std::vector<float>(size * size);
};

constexpr Step step_of(StepKind kind) {
  return {.kind = kind, .l1 = 0, .l2 = 0, .sweeps = 1, .relaxation = 1};
}

class SemiNmf {
 public:
  SemiNmf(Passes& device, Index n, Index d, Index k)
      : device_(device),
        n_(n),
        d_(d),
        k_(k),
        X_(random_floats(n * d, 3, false)),
        W_(random_floats(n * k, 4, true)),
        Ht_(random_floats(d * k, 5, false)),
        no_pull_(k),
        source_(dense_source(X_.data(), ElementType::float32, n, d, d)),
        sums_(device.make_sums(d, k)) {}

  // One iteration: P, the sweep over W, S, R, and H by least squares.
  Rate run(const Job& job, Measure measure) {
    return rate(4.0 * static_cast<double>(n_ * d_ * k_), [&] {
      const BackendView<float> Ht = {Ht_.data(), d_, k_, k_};
      const NormalMatrix normal(device_.gram(Ht, job), k_, 0, false);
      const Group group{.Ht = Ht,
                        .normal = normal,
                        .step = step_of(StepKind::nonnegative_sweep),
                        .W = {W_.data(), n_, k_, k_},
                        .measure = measure,
                        .accumulate = true,
                        .sums = *sums_};
      device_.pass({.X = *source_, .exponent = 0, .groups = {&group, 1}}, job);
      const NormalMatrix gram(sums_->gram, k_, 0, true);
      device_.improve(step_of(StepKind::solve), *sums_, gram, no_pull_, Ht, job);
    });
  }

 private:
  Passes& device_;
  Index n_;
  Index d_;
  Index k_;
  std::vector<float> X_;
  std::vector<float> W_;
  std::vector<float> Ht_;
  std::vector<double> no_pull_;
  std::unique_ptr<RowSource> source_;
  std::unique_ptr<Sums> sums_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void describe_machine(Index threads) {
  const HostDescription machine = describe_host();
  std::printf("%s; kernels: %s; %s %s, core %s; %ld threads (%s)\n", machine.cpu_model.c_str(),
              machine.cpu_features.c_str(), machine.blas_name.c_str(), machine.blas_version.c_str(),
              machine.blas_core.c_str(), static_cast<long>(threads),
              machine.threads_reason.c_str());
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (std::strncmp(*variable, "OPENBLAS_", 9) == 0 || std::strncmp(*variable, "OMP_", 4) == 0)
      std::printf("%s\n", *variable);
}

}  // namespace

int main(int count, char** arguments) {
  const auto argument = [&](int at, long otherwise) -> Index {
    return count > at ? std::atol(arguments[at]) : otherwise;
  };
  const Index n = argument(1, 50'000);
  const Index d = argument(2, 1536);
  const Index k = argument(3, 64);
  const Index repeats = argument(4, 5);
  const Job job{.cancellation = {}, .report = {}, .threads = argument(5, pool_threads())};
  describe_machine(worker_count(job));

  const auto device = cpu::make_passes(cpu::kernels());
  SquareProduct square;
  SemiNmf model(*device, n, d, k);
  model.run(job, Measure::none);
  for (const Measure measure : {Measure::none, Measure::identity, Measure::direct}) {
    std::vector<double> rates;
    std::vector<double> shares;
    std::vector<double> cpu_shares;
    double roofline = 0;
    for (Index r = 0; r < repeats; ++r) {
      const Rate product = square.run(job);
      const Rate iteration = model.run(job, measure);
      rates.push_back(iteration.wall);
      shares.push_back(iteration.wall / product.wall);
      cpu_shares.push_back(iteration.cpu / product.cpu);
      roofline = std::max(roofline, product.wall);
    }
    const char* name = measure == Measure::none       ? "iteration"
                       : measure == Measure::identity ? "with the identity"
                                                      : "with the residual";
    std::printf(
        "%-18s n %ld d %ld k %ld: %.1f GFLOP/s, square 2048 %.1f, median share %.3f, "
        "by CPU time %.3f\n",
        name, static_cast<long>(n), static_cast<long>(d), static_cast<long>(k), median(rates),
        roofline, median(shares), median(cpu_shares));
  }
  stop_pool();
}
