// How near is an exact search on a GPU to the products that it needs? Prints one line of JSON. Not
// a suite: without GEMMINE_TEST_DEVICE it does nothing.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "backend/cuda/library.h"
#include "backend/registry.h"
#include "chosen_device.h"
#include "core/pool.h"
#include "core/random.h"
#include "scan_scenes.h"

using namespace test;
using Clock = std::chrono::steady_clock;

namespace {

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Rows many_rows(Index count, Index d, std::uint64_t seed, const Job& job) {
  Rows rows{count, d, std::vector<float>(static_cast<std::size_t>(count * d))};
  const gemmine::CounterRandom random(seed, 1);
  gemmine::parallel_for(job, count, [&](Index i, Index) {
    for (Index t = 0; t < d; ++t)
      rows.values[i * d + t] = static_cast<float>(
          random.uniform(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(t)) - 0.5);
  });
  return rows;
}

// Seconds of the float16 products of all queries with all rows, with nothing else.
double product_seconds(const gemmine::cuda::Device& shared, Index queries, Index rows, Index d) {
  const auto device = gemmine::cuda::device_named(shared.name());
  const Index lanes = 1024, tile = 8192;
  const gemmine::cuda::Array<std::uint16_t> q(device, lanes * d), c(device, tile * d);
  const gemmine::cuda::Array<float> scores(device, lanes * tile);
  q.clear(lanes * d);
  c.clear(tile * d);
  const gemmine::cuda::Product product{gemmine::cuda::Number::float16,
                                       0,
                                       1,
                                       lanes,
                                       tile,
                                       d,
                                       1,
                                       q.data(),
                                       d,
                                       c.data(),
                                       d,
                                       0,
                                       scores.data(),
                                       tile};
  const auto run = [&](Index times) {
    for (Index i = 0; i < times; ++i)
      device->require(device->runtime().multiply(device->compute(), &product));
    device->synchronize();
  };
  run(4);
  const Index times = 256;
  const auto start = Clock::now();
  run(times);
  return seconds_since(start) / static_cast<double>(times) / static_cast<double>(lanes * tile) *
         static_cast<double>(queries) * static_cast<double>(rows);
}

void bench(const std::string& name, Index queries, Index rows, Index d, Index k) {
  const Job job = job_of(64);
  gemmine::Scans& scans = gemmine::scans_for(name);
  const Rows asking = many_rows(queries, d, 1, job), searched = many_rows(rows, d, 2, job);
  const auto before = Clock::now();
  const Sides sides(scans, Metric::cosine, asking, searched, true, job);
  const double prepared = seconds_since(before);
  std::vector<ScanQuery> asked;
  for (Index query = 0; query < queries; ++query) asked.push_back({.query = query, .depth = k});
  Index rescanned = 0;
  double best = 1e30;
  for (int run = 0; run < 3; ++run) {
    const auto start = Clock::now();
    const auto found = scans.scan({.queries = *sides.queries,
                                   .asked = asked,
                                   .groups = gemmine::Groups::off,
                                   .corpus_groups = nullptr,
                                   .counted = false,
                                   .bound_factor = 1.0},
                                  job);
    best = std::min(best, seconds_since(start));
    rescanned = 0;
    for (const Ranking& each : found) rescanned += each.rescanned;
  }
  const double products = product_seconds(*gemmine::cuda::device_named(name), queries, rows, d);
  std::printf(
      "{\"bench\": \"top k\", \"queries\": %ld, \"rows\": %ld, \"d\": %ld, \"k\": %ld, "
      "\"prepare\": %.4f, \"scan\": %.4f, \"products\": %.4f, \"rescanned\": %ld}\n",
      static_cast<long>(queries), static_cast<long>(rows), static_cast<long>(d),
      static_cast<long>(k), prepared, best, products, static_cast<long>(rescanned));
}

}  // namespace

int main() {
  on_chosen_device([](const std::string& name) {
    bench(name, 8192, 1'000'000, 768, 100);
    bench(name, 64, 1'000'000, 768, 10);
  });
  std::printf("skipped: no CUDA device is chosen\n");
}
