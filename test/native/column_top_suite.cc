// The best rows of queries and the best queries of rows from the same tiles, in every
// implementation of Scans, compared with the naive one. Implementations are in scans_devices.h.
#include "backend/cpu/column_top.h"
#include "check.h"
#include "core/pool.h"
#include "scan_scenes.h"
#include "scans_devices.h"

using namespace test;
using gemmine::BothWays;
using gemmine::Scans;

namespace {

// Both sides, each as queries of the other, in the memory of one implementation.
struct BothSides {
  BothSides(Scans& scans, Metric metric, const Rows& queries, const Rows& rows, bool keep,
            const Job& job)
      : there(scans, metric, queries, rows, keep, job),
        back(scans, metric, rows, queries, keep, job) {}

  Sides there;
  Sides back;
};

// The questions of rows about the `others` rows of the other side.
struct Asking {
  Asking(Index rows, Index depth) {
    for (Index row = 0; row < rows; ++row) asked.push_back({.query = row, .depth = depth});
  }
  Asking(Index rows, Index others, Dice& dice) {
    const Index depth = 1 + dice.below(std::min<Index>(others, 20));
    const bool barring = dice.chance(2);
    for (Index row = 0; row < rows; ++row) {
      asked.push_back({.query = row, .depth = depth});
      if (barring) barred.push_back(some_rows(dice.below(20), others, dice));
    }
    for (std::size_t i = 0; i < barred.size(); ++i) asked[i].barred = barred[i];
  }

  gemmine::ScanRequest of(const gemmine::QueryHandle& queries) const {
    return {.queries = queries,
            .asked = asked,
            .groups = gemmine::Groups::off,
            .corpus_groups = nullptr,
            .classes = {},
            .counted = false,
            .bound_factor = 1.0};
  }

  std::vector<ScanQuery> asked;
  std::vector<std::vector<std::int32_t>> barred;
};

struct Question {
  Asking queries;
  Asking rows;

  BothWays answer(Scans& scans, const BothSides& sides, const Job& job) const {
    return scans.column_top(queries.of(*sides.there.queries), rows.of(*sides.back.queries), job);
  }
};

bool same(const std::vector<Ranking>& a, const std::vector<Ranking>& b) {
  return std::ranges::equal(a, b, [](const Ranking& x, const Ranking& y) {
    return test::same(x.admissible, y.admissible);
  });
}

bool same(const BothWays& a, const BothWays& b) {
  return same(a.queries, b.queries) && same(a.rows, b.rows);
}

struct Pair {
  Metric metric;
  Rows queries;
  Rows rows;
  std::string name;
};

// Enough rows for a join; the norms of the two sides may differ much.
Pair random_pair(Index seed, Dice& dice) {
  const Index ds[] = {1, 3, 8, 17};
  const Index d = ds[dice.below(4)];
  const Index of_queries = dice.below(kinds),
              of_rows = dice.chance(2) ? of_queries : dice.below(kinds);
  Pair pair{
      .metric = metrics[seed % 3],
      .queries = random_rows(of_queries, gemmine::cpu::fewest_joined + dice.below(200), d, dice),
      .rows = random_rows(of_rows, gemmine::cpu::fewest_joined + 64 + dice.below(200), d, dice),
      .name = {}};
  pair.name = "scene " + std::to_string(seed) + ", kinds " + std::to_string(of_queries) + " and " +
              std::to_string(of_rows) + ", " + name_of(pair.metric) + ", d " + std::to_string(d);
  return pair;
}

void test_random_pairs(Scans& scans, const std::string& what, Index scenes) {
  NaiveScans naive;
  for (Index seed = 0; seed < scenes; ++seed) {
    Dice dice(6000 + seed);
    const Pair pair = random_pair(seed, dice);
    const Job job = job_of(1 + dice.below(3));
    const BothSides sides(scans, pair.metric, pair.queries, pair.rows, dice.chance(2), job);
    const BothSides plain(naive, pair.metric, pair.queries, pair.rows, true, job);
    const Question question{.queries = Asking(pair.queries.rows, pair.rows.rows, dice),
                            .rows = Asking(pair.rows.rows, pair.queries.rows, dice)};
    check(same(question.answer(scans, sides, job), question.answer(naive, plain, job)),
          what + ", both ways, " + pair.name);
  }
}

// A third of the rows are equal, so that lists of all kinds overflow.
void test_threads(TrialScans& scans) {
  Dice dice(5);
  Rows queries = random_rows(0, 1500, 12, dice), rows = random_rows(0, 1400, 12, dice);
  for (Index i = 0; i < 450; ++i) {
    std::copy_n(&queries.values[0], 12, &queries.values[i * 3 * 12]);
    std::copy_n(&queries.values[0], 12, &rows.values[i * 3 * 12]);
  }
  const Question question{.queries = Asking(1500, 1400, dice), .rows = Asking(1400, 1500, dice)};
  const auto answer = [&](Index threads) {
    const Job job = job_of(threads);
    const BothSides sides(scans, Metric::dot, queries, rows, threads > 1, job);
    check(gemmine::cpu::is_join(question.queries.of(*sides.there.queries),
                                question.rows.of(*sides.back.queries), job),
          "both ways of enough rows are a join");
    return question.answer(scans, sides, job);
  };
  const auto rescanned = [](const BothWays& ways) {
    const auto count = [](const std::vector<Ranking>& rankings) {
      return std::ranges::count_if(rankings, [](const Ranking& each) { return each.rescanned; });
    };
    return std::pair(count(ways.queries), count(ways.rows));
  };
  const BothWays first = answer(1);
  for (const Index threads : {2, 3}) {
    const BothWays again = answer(threads);
    check(same(first, again) && rescanned(first) == rescanned(again),
          "the same answers and proofs for any number of threads");
  }
}

// Both sides are cut into parts, and the results of the parts are merged. Many scores are equal.
void test_parts(const gemmine::cpu::ScanFormat& format) {
  Dice dice(4);
  TrialScans scans;
  scans.format = &format;
  const Rows queries = random_rows(1, 1600, 3, dice), rows = random_rows(0, 1700, 3, dice);
  Job job = job_of(3);
  job.buffer_bytes = gemmine::join_bytes(2000, 3, 20) / 4;
  const BothSides sides(scans, Metric::l2, queries, rows, true, job);
  const Question question{.queries = Asking(1600, 1700, dice), .rows = Asking(1700, 1600, dice)};
  const auto request = question.queries.of(*sides.there.queries);
  const auto reverse = question.rows.of(*sides.back.queries);
  check(gemmine::cpu::is_join(request, reverse, job), "both ways are a join in parts");
  const BothWays ways = gemmine::cpu::column_top(request, reverse, job);
  check(same(ways.queries, scans.scan(request, job)) && same(ways.rows, scans.scan(reverse, job)),
        "both ways in parts are what two scans find");
}

// Copies of a row with small changes; every second copy is negated, so that centring does not help.
Rows near(const Rows& row, Index count, Dice& dice) {
  Rows made{count, row.d, std::vector<float>(count * row.d)};
  for (Index i = 0; i < count; ++i)
    for (Index t = 0; t < row.d; ++t)
      made.values[i * row.d + t] =
          static_cast<float>((row.values[t] + 3e-4 * dice.normal()) * (i % 2 == 0 ? 1 : -1));
  return made;
}

constexpr Index looked_at = 6;  // the step between compared copies

Index wrong_of(const std::vector<Ranking>& found, const std::vector<Ranking>& expected) {
  Index wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    wrong += !test::same(found[i * looked_at].admissible, expected[i].admissible);
  return wrong;
}

// A join is only a filter: without its bound both sides are wrong, for every metric.
void test_bound() {
  Dice dice(8);
  const Index count = gemmine::cpu::fewest_joined;
  const Rows base = random_rows(0, 1, 768, dice);
  Rows other = base;
  for (float& value : other.values) value += static_cast<float>(0.5 * dice.normal());
  const Rows queries = near(base, count, dice), rows = near(other, count, dice);
  NaiveScans naive;
  const Job job = job_of(3);
  const Question question{.queries = Asking(count, 20), .rows = Asking(count, 20)};
  Question some{.queries = Asking(0, 20), .rows = Asking(0, 20)};
  for (Index row = 0; row < count; row += looked_at) {
    some.queries.asked.push_back(question.queries.asked[row]);
    some.rows.asked.push_back(question.rows.asked[row]);
  }
  for (const Metric metric : metrics) {
    const BothSides plain(naive, metric, queries, rows, true, job);
    const BothWays expected = some.answer(naive, plain, job);
    for (const auto* format : {&gemmine::cpu::first_format(), &gemmine::cpu::finest_format()}) {
      TrialScans scans;
      scans.format = format;
      const BothSides sides(scans, metric, queries, rows, true, job);
      const std::string what = std::string(format->name) + ", " + name_of(metric);
      const BothWays with = question.answer(scans, sides, job);
      check(wrong_of(with.queries, expected.queries) + wrong_of(with.rows, expected.rows) == 0,
            "both ways of near rows, " + what);
      scans.bound_factor = 0;
      const BothWays without = question.answer(scans, sides, job);
      const Index of_queries = wrong_of(without.queries, expected.queries);
      const Index of_rows = wrong_of(without.rows, expected.rows);
      std::printf("%s: without the bound %ld queries and %ld rows are wrong\n", what.c_str(),
                  static_cast<long>(of_queries), static_cast<long>(of_rows));
      check(of_queries > 0 && of_rows > 0, "the bound of both ways, " + what);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  gemmine::set_pool_threads(3);
  const Index asked = argc > 1 ? std::atol(argv[1]) : 6;
  each_scans(thread_sanitizer ? 3 : asked, test_random_pairs);
  for (const auto* format : {&gemmine::cpu::first_format(), &gemmine::cpu::finest_format()}) {
    TrialScans scans;
    scans.format = format;
    test_threads(scans);
    if (!thread_sanitizer) test_parts(*format);
  }
  if (thread_sanitizer)
    std::printf("parts and bounds: skipped under the thread sanitizer, their scenes are large\n");
  else
    test_bound();
  const int status = report("column_top");
  gemmine::stop_pool();
  return status;
}
