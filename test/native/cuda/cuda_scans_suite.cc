// Scans on the emulated GPU, compared with the naive ones: ids, scores and counts have the same
// bits.
#include "core/pool.h"
#include "emulated_scans.h"
#include "scan_scenes.h"

using namespace test;

namespace {

void a_first_search() {
  EmulatedScans scans(emulated_device());
  NaiveScans naive;
  const Job job = job_of(2);
  for (Index seed = 0; seed < 30; ++seed) {
    Dice dice(seed);
    const Scene scene = random_scene(seed, dice, false);
    const Sides sides(scans, scene.metric, scene.queries, scene.right(), true, job);
    const Sides plain(naive, scene.metric, scene.queries, scene.right(), true, job);
    std::vector<ScanQuery> asked;
    for (Index query = 0; query < scene.queries.rows; ++query)
      asked.push_back({.query = query, .depth = 1 + query % 7});
    const auto request = [&](const Sides& of) {
      return ScanRequest{.queries = *of.queries,
                         .asked = asked,
                         .groups = gemmine::Groups::off,
                         .corpus_groups = nullptr,
                         .counted = false,
                         .bound_factor = 1.0};
    };
    const auto found = scans.scan(request(sides), job);
    const auto expected = naive.scan(request(plain), job);
    bool right = true;
    for (std::size_t i = 0; i < expected.size(); ++i)
      right = right && same(found[i].admissible, expected[i].admissible);
    check(right, scene.name);
  }
}

}  // namespace

int main() {
  gemmine::set_pool_threads(2);
  a_first_search();
  check_emulation("scans");
  const int status = report("cuda scans");
  gemmine::stop_pool();
  return status;
}
