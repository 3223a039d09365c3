// How near is the rate of the exact scan to that of a square sgemm of 2048 on the same threads?
// Synthetic: 2 000 × 100 000 × 384, k = 100, cosine; arguments change them in this order, the last
// two are the metric's number and the format of the first scan. All run in turn, best of 5.
#include <cblas.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <thread>
#include <vector>

#include "backend/cpu/scan_corpus.h"
#include "backend/registry.h"
#include "core/pool.h"
#include "core/random.h"
#include "mining/mine.h"

namespace {

using gemmine::Index;

// On a shared machine wall time is noise; CPU time is not.
struct Seconds {
  double wall = 1e9;
  double cpu = 1e9;
};

double process_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Seconds seconds_of(const auto& body) {
  const auto start = std::chrono::steady_clock::now();
  const double used = process_seconds();
  body();
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {wall, process_seconds() - used};
}

Seconds best_of(Seconds a, Seconds b) { return {std::min(a.wall, b.wall), std::min(a.cpu, b.cpu)}; }

std::vector<float> gaussian(Index count, std::uint32_t stream) {
  const gemmine::CounterRandom random(1, stream);
  std::vector<float> values(count);
  for (Index i = 0; i < count; ++i) values[i] = static_cast<float>(random.normal(i, 0));
  return values;
}

// Threads share the rows of the product; OpenBLAS itself uses one thread.
Seconds sgemm_seconds(Index threads) {
  constexpr int n = 2048;
  static const std::vector<float> a = gaussian(n * n, 3), b = gaussian(n * n, 4);
  static std::vector<float> c(n * n);
  openblas_set_num_threads(1);
  return seconds_of([&] {
    std::vector<std::thread> workers;
    for (Index i = 0; i < threads; ++i)
      workers.emplace_back([&, i] {
        const int first = static_cast<int>(i * n / threads);
        const int rows = static_cast<int>((i + 1) * n / threads) - first;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, n, n, 1.0f, &a[first * n], n,
                    b.data(), n, 0.0f, &c[first * n], n);
      });
    for (std::thread& each : workers) each.join();
  });
}

void line(const char* name, double gop, Seconds took) {
  std::printf("%-22s %8.4f %8.1f %16.1f\n", name, took.wall, gop / took.wall, gop / took.cpu);
}

const gemmine::cpu::ScanFormat& format_called(const char* name) {
  using namespace gemmine::cpu;
  return std::strcmp(name, finest_format().name) == 0 ? finest_format() : first_format();
}

}  // namespace

int main(int argc, char** argv) {
  if (std::getenv("OPENBLAS_CORETYPE") != nullptr) {  // OpenBLAS reads it before main starts
    unsetenv("OPENBLAS_CORETYPE");
    execv(argv[0], argv);
  }
  const Index queries = argc > 1 ? std::atol(argv[1]) : 2000;
  const Index rows = argc > 2 ? std::atol(argv[2]) : 100000;
  const Index d = argc > 3 ? std::atol(argv[3]) : 384;
  const Index k = argc > 4 ? std::atol(argv[4]) : 100;
  const auto metric = static_cast<gemmine::Metric>(argc > 5 ? std::atoi(argv[5]) : 0);
  const Index threads = gemmine::pool_threads();
  const gemmine::Job job{.cancellation = {}, .report = {}, .threads = threads};
  const std::vector<float> q = gaussian(queries * d, 1), c = gaussian(rows * d, 2);
  const auto query_source =
      gemmine::dense_source(q.data(), gemmine::ElementType::float32, queries, d, d);
  const auto corpus_source =
      gemmine::dense_source(c.data(), gemmine::ElementType::float32, rows, d, d);
  const gemmine::cpu::ScanFormat& format = format_called(argc > 6 ? argv[6] : "");
  const auto prepare = [&](bool keep) {
    return std::make_unique<gemmine::cpu::CpuCorpus>(*corpus_source, metric, format, keep, job);
  };
  std::unique_ptr<gemmine::CorpusHandle> corpus;
  const Seconds preparing = seconds_of([&] { corpus = prepare(true); });
  const auto bare = prepare(false);

  std::vector<std::int32_t> indices(queries * k);
  std::vector<float> scores(queries * k);
  const gemmine::TopKOptions options{.k = k,
                                     .self = {.same = false, .rows = nullptr},
                                     .exclude = {.indptr = nullptr, .indices = nullptr}};
  gemmine::Proof proof{};
  Seconds product, kept, one_off;
  const auto ask = [&](const gemmine::CorpusHandle& handle) {
    return seconds_of([&] {
      proof = top_k(gemmine::scans_for("cpu"), *query_source, handle, options, indices.data(),
                    scores.data(), job);
    });
  };
  for (int round = 0; round < 5; ++round) {
    product = best_of(product, sgemm_seconds(threads));
    kept = best_of(kept, ask(*corpus));
    one_off = best_of(one_off, ask(*bare));
  }
  const double work = 2e-9 * static_cast<double>(queries * rows * d);
  const double square = 2e-9 * 2048 * 2048 * 2048;
  std::printf("topk %ld x %ld x %ld, k %ld, %ld threads, %s, %s\n", queries, rows, d, k, threads,
              gemmine::cpu::scan_kernels().name, format.name);
  std::printf("%-22s %8s %8s %16s\n", "", "s", "Gop/s", "Gop/s of CPU time");
  line("sgemm 2048", square, product);
  line("scan, panels kept", work, kept);
  line("scan, one-off", work, one_off);
  std::printf("ratio of the kept scan to sgemm %.2f, by CPU time %.2f; OpenBLAS core %s\n",
              work / kept.wall / (square / product.wall), work / kept.cpu / (square / product.cpu),
              openblas_get_corename());
  std::printf("preparing %.3f s, %ld bytes, certified %ld, fallback %ld\n", preparing.wall,
              corpus->bytes(), proof.certified, proof.fallback);
  gemmine::stop_pool();
}
