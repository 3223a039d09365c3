// The kernels of scans on the emulated GPU, one by one, compared with plain loops.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "backend/metric.h"
#include "core/float16.h"
#include "core/random.h"
#include "tested_device.h"

namespace {

using namespace test;
using namespace gemmine;
using namespace gemmine::cuda;

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<float> numbers(Index count, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  const CounterRandom random(seed, 1);
  for (Index i = 0; i < count; ++i)
    values[i] = static_cast<float>(random.normal(static_cast<std::uint64_t>(i), 0));
  return values;
}

// Canonical sums the slow way (docs/math/top-k.md).
double tree_sum(const float* a, const float* b, Index d, bool squares) {
  double s[8] = {};
  for (Index t = 0; t < d; ++t) {
    const double gap = double{a[t]} - double{b[t]};
    const double term = squares ? gap * gap : double{a[t]} * double{b[t]};
    s[t % 8] += term;
  }
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

void check_scores(Metric metric, Index d) {
  const auto device = tested_device();
  const Index queries = 5, rows = 9, count = queries * rows;
  std::vector<float> Q = numbers(queries * d, 1), C = numbers(rows * d, 2);
  std::copy_n(&C[0], d, &Q[0]);      // cosines near 1
  std::fill_n(&C[d], d, 0.0f);       // a zero row
  std::fill_n(&C[2 * d], d, -0.0f);  // products are −0
  std::vector<std::int32_t> pairs;
  for (Index i = 0; i < count; ++i)
    pairs.insert(pairs.end(),
                 {static_cast<std::int32_t>(i / rows), static_cast<std::int32_t>(i % rows)});
  const Array<float> q(device, Q), c(device, C);
  const Array<std::int32_t> p(device, pairs);
  const Array<double> query_norms(device, queries), row_norms(device, rows), scores(device, count);
  const MeasureRows of_queries{queries, d, q.data(), d, query_norms.data()};
  const MeasureRows of_rows{rows, d, c.data(), d, row_norms.data()};
  const auto& scans = device->table().scans;
  device->require(scans.measure_rows(device->compute(), &of_queries));
  device->require(scans.measure_rows(device->compute(), &of_rows));
  const bool unit = has_unit_rows(metric);
  const ScorePairs request{.count = count,
                           .cols = d,
                           .queries = q.data(),
                           .query_stride = d,
                           .rows = c.data(),
                           .row_stride = d,
                           .query_norms = unit ? query_norms.data() : nullptr,
                           .row_norms = unit ? row_norms.data() : nullptr,
                           .squares = sums_squares(metric),
                           .pairs = p.data(),
                           .scores = scores.data()};
  device->require(scans.score_pairs(device->compute(), &request));
  const std::vector<double> found = scores.download();
  for (Index i = 0; i < count; ++i) {
    const float *a = &Q[i / rows * d], *b = &C[i % rows * d];
    const double lengths =
        std::sqrt(tree_sum(a, a, d, false)) * std::sqrt(tree_sum(b, b, d, false));
    const double expected =
        canonical_score(metric, tree_sum(a, b, d, sums_squares(metric)), lengths);
    same_bits(&found[i], &expected, 1,
              std::string("canonical bits, ") + name_of(metric_names, metric) + ", d " +
                  std::to_string(d));
  }
}

// Offsets of elements beyond 2^31; pages of this memory exist once touched.
void far_rows_are_scored() {
  emulation::runtime_options.device_bytes = std::size_t{1} << 36;
  const auto device = tested_device();
  const Index d = 64, far = 40'000'000;
  const Array<float> rows(device, (far + 1) * d);
  const std::vector<float> ones(d, 1.0f);
  const Copy copy{Direction::to_device, rows.data() + far * d, d * 4, ones.data(), d * 4, d * 4, 1};
  device->require(device->runtime().copy(device->compute(), &copy));
  const auto last = static_cast<std::int32_t>(far);
  const Array<std::int32_t> pairs(device, {last, last});
  const Array<double> scores(device, 1);
  const ScorePairs request{.count = 1,
                           .cols = d,
                           .queries = rows.data(),
                           .query_stride = d,
                           .rows = rows.data(),
                           .row_stride = d,
                           .query_norms = nullptr,
                           .row_norms = nullptr,
                           .squares = 0,
                           .pairs = pairs.data(),
                           .scores = scores.data()};
  device->require(device->table().scans.score_pairs(device->compute(), &request));
  check(scores.download()[0] == d, "a far row");
}

// Stored rows are near the rows, and their bounds say how near.
void check_stored_rows(Index d, int exponent, bool unit, bool distance) {
  const auto device = tested_device();
  const Index n = 11, stride = (d + 7) / 8 * 8;
  std::vector<float> rows = numbers(n * d, 3);
  for (Index i = 0; i < n; ++i)
    for (Index t = 0; t < d; ++t) rows[i * d + t] *= std::ldexp(1.0f, static_cast<int>(8 * i - 60));
  std::fill_n(&rows[4 * d], d, 0.0f);
  const std::vector<float> centre = numbers(d, 4);
  const Array<float> from(device, rows), middle(device, centre);
  const Array<double> norms(device, n);
  const Array<std::uint16_t> halves(device, n * stride);
  const Array<RowBound> bounds(device, n);
  const MeasureRows measure{n, d, from.data(), d, norms.data()};
  device->require(device->table().scans.measure_rows(device->compute(), &measure));
  const PrepareRows request{.rows = n,
                            .cols = d,
                            .from = from.data(),
                            .stride = d,
                            .centre = middle.data(),
                            .norms = unit ? norms.data() : nullptr,
                            .distance = distance,
                            .exponent = exponent,
                            .squared_norm_error = 0x1p-20,
                            .underflow = 0x1p-100,
                            .halves = halves.data(),
                            .half_stride = stride,
                            .bounds = bounds.data(),
                            .values = nullptr};
  device->require(device->table().scans.prepare_rows(device->compute(), &request));
  const auto stored = halves.download();
  const auto bound = bounds.download();
  for (Index i = 0; i < n; ++i) {
    const double norm = std::sqrt(tree_sum(&rows[i * d], &rows[i * d], d, false));
    const double factor = !unit ? 1 : norm == 0 ? 0 : 1 / norm;
    double squared = 0, off = 0;
    for (Index t = 0; t < stride; ++t) {
      const double half = double{widen_float16(stored[i * stride + t])} * bound[i].scale;
      if (t >= d) {
        check(half == 0, "zeros beyond the columns");
        continue;
      }
      const auto exact = static_cast<float>((double{rows[i * d + t]} * factor - double{centre[t]}) *
                                            std::ldexp(1.0, exponent));
      squared += double{exact} * double{exact};
      off += (exact - half) * (exact - half);
    }
    const double half_norm = distance ? squared / 2 : 0;
    const std::string what = "row " + std::to_string(i) + ", d " + std::to_string(d);
    check(bound[i].residual >= std::sqrt(off) && bound[i].residual <= 1e-3 * std::sqrt(squared),
          what + ": the residual");
    check(
        bound[i].norm >= std::sqrt(squared) && bound[i].norm <= 1.001 * std::sqrt(squared) + 1e-30,
        what + ": the norm");
    check(bound[i].up >= -half_norm + 0x1p-101 && bound[i].down <= -half_norm - 0x1p-101,
          what + ": the part of the bound that no query changes");
  }
}

// A question that wants all rows with an upper bound of at least `floor`.
AskedScan plain_question(int lane, float floor) {
  return {.lane = lane,
          .group = -1,
          .ranked = 1,
          .drawn = 0,
          .rejecting = 0,
          .floored = 0,
          .first_barred = 0,
          .end_barred = 0,
          .floor = floor,
          .above = {infinity, infinity, infinity},
          .maybe = {infinity, infinity, infinity},
          .scale = 0.5f,
          .norm = 0,
          .residual = 0,
          .depth = 3,
          .rejected_depth = 0,
          .spread = 0,
          .filter = -1};
}

struct Selection {
  std::vector<ScanState> states;
  std::vector<Found> lists;
};

// `scores` [lanes×rows], all bounds 0, stored as twice the rows; what `change` makes of the
// request.
template <class Change>
Selection select(const std::vector<float>& scores, Index rows, const std::vector<AskedScan>& asked,
                 std::int32_t capacity, bool tighten, const Change& change) {
  const auto device = tested_device();
  const auto count = static_cast<std::int32_t>(asked.size());
  std::vector<ScanState> states;
  for (const AskedScan& each : asked) states.push_back({each.floor, -infinity, 0, 0, {}, 0});
  const Array<float> tile(device, scores);
  const Array<AskedScan> questions(device, asked);
  const Array<ScanState> now(device, states);
  const Array<RowBound> bounds(device, std::vector<RowBound>(rows, {0, 0, 1, 0, 2}));
  const Array<Found> lists(device, std::vector<Found>(Index{count} * capacity, {0, 0, -1, 0}));
  SelectRows request{.scores = tile.data(),
                     .stride = rows,
                     .rows = static_cast<std::int32_t>(rows),
                     .first_row = 64,
                     .asked_count = count,
                     .capacity = capacity,
                     .groups = 0,
                     .unused = 0,
                     .asked = questions.data(),
                     .states = now.data(),
                     .bounds = bounds.data(),
                     .row_groups = nullptr,
                     .shared = nullptr,
                     .barred = nullptr,
                     .filters = nullptr,
                     .lists = lists.data()};
  change(request);
  device->require(device->table().scans.select_rows(device->compute(), &request));
  const TightenLists raise{count, capacity, 1, 0, questions.data(), now.data(), lists.data()};
  if (tighten) device->require(device->table().scans.tighten_lists(device->compute(), &raise));
  return {now.download(), lists.download()};
}

void all_rows_that_pass_are_listed_once() {
  const Index rows = 1100;
  std::vector<float> scores = numbers(2 * rows, 5);
  scores[70] = std::numeric_limits<float>::quiet_NaN();
  const auto [states, lists] =
      select(scores, rows, {plain_question(1, 0.5f), plain_question(0, 1.0f)}, 1100, false,
             [](SelectRows&) {});
  for (int i = 0; i < 2; ++i) {
    std::set<std::int32_t> listed;
    for (int at = 0; at < states[i].count; ++at) listed.insert(lists[i * 1100 + at].row);
    check(static_cast<int>(listed.size()) == states[i].count, "each row is listed once");
    check(*listed.rbegin() < 64 + rows, "rows beyond the last");
    for (Index row = 0; row < rows; ++row)
      check(listed.contains(static_cast<std::int32_t>(64 + row)) ==
                !(scores[(1 - i) * rows + row] < (i == 0 ? 0.5f : 1.0f)),
            "the rows that pass, and a NaN");
  }
}

void levels_count_what_is_certainly_above() {
  const Index rows = 64;
  std::vector<float> scores(rows, 0.0f);
  scores[0] = 2;      // barred
  scores[3] = 2;      // above
  scores[4] = 1.05f;  // may be above, as the next
  scores[7] = 1.12f;
  scores[5] = std::numeric_limits<float>::quiet_NaN();
  scores[6] = 2;   // barred
  scores[40] = 2;  // has a class
  AskedScan question = plain_question(0, 1.0f);
  question.above[0] = question.maybe[0] = 1.1f;
  question.norm = 0.0625f;  // E of every row
  question.end_barred = 3;
  const auto device = tested_device();
  const Array<std::int32_t> barred(device, std::vector<std::int32_t>{64, 70, 200});
  const Array<std::uint32_t> shared(device, std::vector<std::uint32_t>{0, 1u << 8});
  const auto [states, lists] = select(scores, rows, {question}, 64, true, [&](SelectRows& request) {
    request.barred = barred.data();
    request.shared = shared.data();
  });
  for (int at = 0; at < states[0].count; ++at)
    check((lists[at].row == 64 + 40 || (lists[at].flags & found_straddling) != 0) &&
              (lists[at].flags & found_admissible) == 0,
          "a NaN and rows within the bound may be above a level, and none is admitted");
  check(states[0].above[0] == 1, "rows without a class that are certainly above");
  std::set<std::int32_t> listed;
  for (int at = 0; at < states[0].count; ++at) listed.insert(lists[at].row);
  check(listed == std::set<std::int32_t>{64 + 4, 64 + 5, 64 + 7, 64 + 40},
        "rows that may be above, and the row with a class");
}

void forbidden_rows_are_rejected() {
  const Index rows = 32;
  const std::vector<float> scores(rows, 1.0f);
  AskedScan question = plain_question(0, -10);
  question.ranked = 0, question.rejecting = 1, question.rejected_depth = 2, question.group = 3;
  const auto device = tested_device();
  std::vector<std::int32_t> of(rows, -1);
  of[0] = 3, of[3] = 5;
  const Array<std::int32_t> groups(device, of);
  const Array<std::uint32_t> shared(device, std::vector<std::uint32_t>{1u << 2});
  for (const int mode : {1, 2}) {
    const auto [states, lists] =
        select(scores, rows, {question}, 32, false, [&](SelectRows& request) {
          request.groups = mode;
          request.row_groups = groups.data();
          request.shared = shared.data();
        });
    const std::int32_t forbidden = mode == 1 ? 64 : 64 + 3;
    check(states[0].count == 2, "the forbidden row and the row with a class");
    for (int at = 0; at < std::min(states[0].count, 2); ++at) {
      const bool counts = (lists[at].flags & found_rejected_counts) != 0;
      check(lists[at].row == forbidden ? counts : lists[at].row == 64 + 2 && !counts,
            "only the forbidden row is certainly rejected");
    }
  }
}

void lists_are_packed_with_their_pairs() {
  const auto device = tested_device();
  std::vector<Found> rows;
  for (std::int32_t i = 0; i < 120; ++i) rows.push_back({0, 0, i, 1});
  const Array<Found> lists(device, rows), packed(device, 45);
  const Array<AskedScan> asked(device,
                               std::vector<AskedScan>{plain_question(7, 0), plain_question(8, 0)});
  const Array<std::int64_t> starts(device, std::vector<std::int64_t>{0, 40, 45});
  const Array<std::int32_t> pairs(device, 90);
  const PackLists request{2,           60, asked.data(), lists.data(), starts.data(), packed.data(),
                          pairs.data()};
  device->require(device->table().scans.pack_lists(device->compute(), &request));
  const auto found = packed.download();
  const auto to_score = pairs.download();
  for (std::int32_t i = 0; i < 45; ++i) {
    const std::int32_t row = i < 40 ? i : 60 + i - 40;
    check(found[i].row == row && to_score[2 * i] == (i < 40 ? 7 : 8) && to_score[2 * i + 1] == row,
          "a packed row and its pair");
  }
}

void a_full_list_counts_and_is_not_left() {
  const Index rows = 200;
  const std::vector<float> scores(2 * rows, 1.0f);
  for (const bool tighten : {false, true}) {
    const auto [states, lists] =
        select(scores, rows, {plain_question(0, 0.5f), plain_question(1, 2.0f)}, 40, tighten,
               [](SelectRows&) {});
    check(states[0].count == 200 && states[1].count == 0, "rows beyond the list are counted");
    for (int at = 40; at < 80; ++at) check(lists[at].row == -1, "a full list is not left");
    if (tighten) check(states[0].admissible == infinity, "a full list wants no more rows");
  }
}

void lists_keep_what_reaches_their_threshold() {
  const Index rows = 700;
  const std::vector<float> scores = numbers(rows, 9);
  std::vector<float> sorted = scores;
  std::sort(sorted.rbegin(), sorted.rend());
  AskedScan question = plain_question(0, -10);
  question.spread = 0.25;
  const auto [states, lists] = select(scores, rows, {question}, 700, true, [](SelectRows&) {});
  check(states[0].admissible <= double{sorted[2]} - 0.25 &&
            states[0].admissible >= double{sorted[3]} - 0.25 - 1e-6,
        "the threshold is between the third and the fourth score, less the spread");
  std::set<std::int32_t> listed;
  for (int at = 0; at < states[0].count; ++at) listed.insert(lists[at].row);
  for (Index row = 0; row < rows; ++row)
    check(listed.contains(static_cast<std::int32_t>(64 + row)) ==
              !(scores[row] < states[0].admissible),
          "a row that reaches the threshold stays");
  question.depth = 701;
  check(select(scores, rows, {question}, 700, true, [](SelectRows&) {}).states[0].count == 700,
        "fewer rows than the depth all stay");
}

void all_kernels() {
  for (const std::uint64_t seed : {1, 2}) {
    emulation::options.seed = seed;
    for (const Metric metric : {Metric::cosine, Metric::dot, Metric::l2})
      for (const Index d : {1, 7, 8, 100}) check_scores(metric, d);
    for (const Index d : {1, 31, 40}) {
      check_stored_rows(d, 0, true, false);
      check_stored_rows(d, -30, false, true);
      check_stored_rows(d, 2, false, false);
    }
    all_rows_that_pass_are_listed_once();
    levels_count_what_is_certainly_above();
    forbidden_rows_are_rejected();
    lists_are_packed_with_their_pairs();
    a_full_list_counts_and_is_not_left();
    lists_keep_what_reaches_their_threshold();
  }
  if (!address_sanitizer) far_rows_are_scored();
}

}  // namespace

int main() {
  on_chosen_device([](const std::string&) { all_kernels(); });
  all_kernels();
  check_emulation("kernels of scans");
  return report("cuda scan kernels");
}
