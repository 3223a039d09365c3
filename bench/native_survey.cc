// What does an iteration of all restarts of a survey take, in CPU time, with X in a file? n d k,
// restarts, rounds, threads and a folder for the file are arguments. A line for each round: seconds
// for restarts one after the other, for restarts that read X together, and for restarts on copies
// with noise in memory.
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "backend/registry.h"
#include "core/elements.h"
#include "core/pool.h"
#include "core/random.h"
#include "factorization/factors.h"
#include "factorization/survey/survey.h"

namespace {

using namespace gemmine;

double cpu_now() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void require(bool done, const char* what) {
  if (done) return;
  std::perror(what);
  std::exit(1);
}

FitOptions options_of(Index iterations) {
  return {.model = Model::nmf,
          .solver = Solver::hals,
          .start = Start::random,
          .tries_svd = false,
          .max_iterations = iterations,
          .tolerance = 0,
          .inner_sweeps = 2,
          .extrapolated = true,
          .penalties = {.l1_w = 0, .l2_w = 0, .l1_h = 0, .l2_h = 0},
          .seed = 1,
          .loss = frobenius_loss,
          .mask = no_mask,
          .row_weights = {},
          .given_W = {nullptr, 0, 0, 0},
          .given_H = {nullptr, 0, 0, 0},
          .checkpoint = {.path = "", .seconds = 0, .metadata = ""},
          .resume = std::nullopt,
          .adjacency = nullptr,
          .kept_share = 1,
          .patience = 0};
}

}  // namespace

int main(int count, char** arguments) {
  require(count == 8, "n d k restarts rounds threads folder");
  const auto number = [&](int at) { return static_cast<Index>(std::atoll(arguments[at])); };
  const Index n = number(1), d = number(2), k = number(3), restarts = number(4);
  const Job job{.cancellation = {}, .report = nullptr, .threads = number(6)};
  std::string path = std::string(arguments[7]) + "/gemmine-survey-XXXXXX";
  const int fd = ::mkstemp(path.data());
  require(fd >= 0, path.c_str());
  ::unlink(path.c_str());
  std::vector<float> row(static_cast<std::size_t>(d));
  const CounterRandom random(1, 0);
  for (Index i = 0; i < n; ++i) {
    for (Index t = 0; t < d; ++t)
      row[t] = static_cast<float>(random.uniform(i, static_cast<std::uint32_t>(t)));
    require(::write(fd, row.data(), row.size() * sizeof(float)) > 0, "write");
  }
  const auto X = file_source(fd, 0, ElementType::float32, n, d, path);
  HostMatrix<float> consensus(k, d);
  HostMatrix<float> components(restarts * k, d);
  const auto seconds = [&](bool copies, Index at_once) {
    double cpu[2];
    for (const Index more : {0, 1}) {
      const AskedRank rank[] = {
          {options_of(2 + 4 * more), std::nullopt, consensus.view(), components.view()}};
      const double begin = cpu_now();
      survey(passes_for("cpu"), *X, rank,
             {.restarts = restarts, .amplitude = 0.03, .copies = copies, .at_once = at_once}, job);
      cpu[more] = cpu_now() - begin;
    }
    return (cpu[1] - cpu[0]) / 4;
  };
  for (Index round = 0; round < number(5); ++round) {
    const double apart = seconds(false, 1);
    const double together = seconds(false, restarts);
    std::printf("%.6f %.6f %.6f\n", apart, together, seconds(true, restarts));
    std::fflush(stdout);
  }
  ::close(fd);
  return 0;
}
