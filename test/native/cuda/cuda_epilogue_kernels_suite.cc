// The kernels of epilogues on the emulated GPU, one by one, compared with plain loops; and filters
// in the selection of rows.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "scored_tile.h"

namespace {

using namespace test;
using namespace gemmine;
using namespace gemmine::cuda;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

void products_have_the_bits_of_a_plain_loop(std::int32_t lanes, std::int32_t rows, Index cols) {
  const auto device = tested_device();
  const Index stride = rows + 3;
  const std::vector<float> q = numbers(lanes * cols, 1), r = numbers(rows * cols, 2);
  const Array<float> queries(device, q), corpus(device, r);
  const Array<float> scores(device, std::vector<float>(lanes * stride, 7));
  const MultiplyRows request{cols,   queries.data(), corpus.data(), scores.data(),
                             stride, lanes,          rows};
  device->require(device->table().epilogues.multiply_rows(device->compute(), &request));
  const std::vector<float> found = scores.download();
  for (Index i = 0; i < lanes; ++i)
    for (Index j = 0; j < stride; ++j) {
      float expected = j < rows ? 0 : 7;
      for (Index t = 0; j < rows && t < cols; ++t)
        expected = std::fma(q[i * cols + t], r[j * cols + t], expected);
      same_bits(&found[i * stride + j], &expected, 1, "a product, and nothing beside it");
    }
}

using Words = std::vector<std::uint32_t>;

std::vector<SumState> sums_of(const Scored& of, const std::vector<double>& scales,
                              const Words& filter, Index tile_rows) {
  const OnDevice on(of);
  const auto& device = on.device;
  const SumState none{-double{infinity}, 0, 0, 0};
  const Array<SumState> sums(device, std::vector<SumState>(of.lane.size(), none));
  const Array<SumState> parts(device, (tile_rows + 31) / 32 * on.lanes);
  const Array<double> by(device, scales);
  const Array<std::uint32_t> words(device, filter);
  for (Index first = 0; first < of.rows(); first += tile_rows) {
    const SumExponentials request{.tile = on.tile(first, std::min(tile_rows, of.rows() - first)),
                                  .scales = by.data(),
                                  .filter = filter.empty() ? nullptr : words.data() + first / 32,
                                  .parts = parts.data(),
                                  .sums = sums.data()};
    device->require(device->table().epilogues.sum_exponentials(device->compute(), &request));
  }
  return sums.download();
}

void sums_of_exponentials_are_right(Index rows, const Words& filter) {
  const Scored scored(rows, 3, 5);
  const std::vector<double> scales{1.0, 40.0, 0.5};
  const auto found = sums_of(scored, scales, filter, 64);
  const auto whole = sums_of(scored, scales, filter, (rows + 31) / 32 * 32);
  for (Index i = 0; i < 3; ++i) {
    double largest = -double{infinity}, widest = 0, sum = 0, weighted = 0;
    const auto each_row = [&](const auto& body) {
      for (Index j = 0; j < rows; ++j)
        if (filter.empty() || (filter[j / 32] >> (j % 32) & 1u) != 0)
          body((double{scored.upper(i, j)} + double{scored.lower(i, j)}) / 2,
               (double{scored.upper(i, j)} - double{scored.lower(i, j)}) / 2);
    };
    each_row([&](double middle, double width) {
      largest = std::max(largest, middle);
      widest = std::max(widest, width);
    });
    each_row([&](double middle, double width) {
      sum += std::exp((middle - largest) * scales[i]);
      weighted += std::exp((middle - largest) * scales[i]) * width;
    });
    const SumState& state = found[i];
    check(state.largest == largest && state.widest == widest, "the largest score and bound");
    check(std::abs(state.sum - sum) <= 1e-12 * sum, "a sum of exponentials");
    check(std::abs(state.weighted - weighted) <= 1e-12 * weighted, "a sum of widths");
    same_bits(&state.sum, &whole[i].sum, 1, "the same bits from other tiles");
    same_bits(&state.weighted, &whole[i].weighted, 1, "the same bits from other tiles");
  }
}

// Documents of which one is empty and one is longer than a tile; `tiles` have so many rows.
std::vector<Highest> highest_of(const Scored& of, const std::vector<std::int32_t>& starts,
                                std::int32_t first, std::int32_t count, Index tile_rows) {
  const OnDevice on(of);
  const Array<std::int32_t> begins(on.device, starts);
  const Array<Highest> highest(on.device, std::vector<Highest>(Index{on.lanes} * count, {99, 99}));
  const Index end = starts[first + count];
  for (Index row = starts[first] / 32 * 32; row < end; row += tile_rows) {
    const RaiseHighest request{.tile = on.tile(row, std::min(tile_rows, end - row)),
                               .first_document = first,
                               .documents = count,
                               .starts = begins.data(),
                               .highest = highest.data()};
    on.device->require(on.device->table().epilogues.raise_highest(on.device->compute(), &request));
  }
  return highest.download();
}

void bounds_of_documents_are_the_highest() {
  Scored scored(200, 3, 8);
  scored.scores[200 + 50] = nan;  // in document 2, by query 1
  const std::vector<std::int32_t> starts{0, 33, 33, 70, 75, 200};
  const auto compare = [&](std::int32_t first, std::int32_t count, Index tile_rows) {
    const auto found = highest_of(scored, starts, first, count, tile_rows);
    for (Index i = 0; i < 3; ++i)
      for (std::int32_t at = 0; at < count; ++at) {
        float upper = -infinity, lower = -infinity;
        for (Index row = starts[first + at]; row < starts[first + at + 1]; ++row) {
          const bool any = std::isnan(scored.of(i, row));
          upper = std::max(upper, any ? infinity : scored.upper(i, row));
          lower = std::max(lower, any ? -infinity : scored.lower(i, row));
        }
        const Highest& each = found[i * count + at];
        check(each.upper == upper && each.lower == lower,
              "bounds of document " + std::to_string(first + at));
      }
  };
  compare(0, 4, 96);  // all in one tile
  compare(1, 3, 64);  // the tile begins before them
  compare(4, 1, 32);  // several tiles
}

void documents_are_listed_with_their_sums() {
  const Scored scored(70, 3, 9);
  const std::vector<std::int32_t> starts{0, 33, 33, 50, 70};
  const std::int32_t documents = 4;
  const auto highest = highest_of(scored, starts, 0, documents, 96);
  // The first query has lane 0, the second one lanes 1 and 2; the third one's list is full.
  const std::vector<AskedDocuments> asked{{0, 1, 1.0}, {1, 2, 4.0}, {0, 1, 1.0}, {0, 1, 1.0}};
  const OnDevice on(scored);
  const Array<AskedDocuments> questions(on.device, asked);
  const Array<std::int32_t> begins(on.device, starts);
  const Array<Highest> bounds(on.device, highest);
  std::vector<ScanState> before(4);
  before[0].admissible = before[1].admissible = before[2].admissible = -infinity;
  before[2].count = 3;
  before[3].admissible = infinity;
  const Array<ScanState> states(on.device, before);
  const Array<Found> lists(on.device, std::vector<Found>(4 * 4, {0, 0, -1, 0}));
  const ListDocuments request{.asked_count = 4,
                              .capacity = 4,
                              .first_document = 0,
                              .documents = documents,
                              .asked = questions.data(),
                              .lane = on.lane.data(),
                              .starts = begins.data(),
                              .highest = bounds.data(),
                              .states = states.data(),
                              .lists = lists.data()};
  on.device->require(on.device->table().epilogues.list_documents(on.device->compute(), &request));
  const auto now = states.download();
  const auto listed = lists.download();
  check(now[0].count == 3 && now[1].count == 3, "documents with rows are listed");
  check(now[2].count == 6 && listed[12].row == -1, "a full list counts on");
  check(now[3].count == 0, "no document reaches an infinite threshold");
  for (Index q = 0; q < 2; ++q)
    for (Index at = 0; at < 3; ++at) {
      const Found& each = listed[q * 4 + at];
      double upper = 0, lower = 0;
      for (Index i = asked[q].first_lane; i < asked[q].first_lane + asked[q].lanes; ++i) {
        const Highest& of = highest[i * documents + each.row];
        upper += (of.upper + scored.lane[i].above) * scored.lane[i].unit;
        lower += (of.lower + scored.lane[i].below) * scored.lane[i].unit;
      }
      upper /= asked[q].unit, lower /= asked[q].unit;
      check(each.flags == (found_admissible | found_admissible_counts), "a document counts");
      check(double{each.upper} >= upper && each.upper <= upper + 1e-6 * std::abs(upper),
            "the upper bound of a document, rounded up");
      check(double{each.lower} <= lower && each.lower >= lower - 1e-6 * std::abs(lower),
            "the lower bound of a document, rounded down");
    }
}

struct Columns {
  std::vector<ScanState> states;
  std::vector<Found> lists;
};

// Lists of the rows from row 32 on.
Columns columns_of(const Scored& scored, Index first, Index rows, std::int32_t capacity,
                   const std::vector<std::int32_t>& barred, float threshold) {
  const OnDevice on(scored);
  const Index lists = scored.rows() - 32;
  std::vector<AskedScan> asked(lists);
  std::vector<ScanState> states(lists);
  for (ScanState& each : states) each.admissible = threshold;
  asked[1].end_barred = static_cast<std::int32_t>(barred.size());
  const Array<AskedScan> questions(on.device, asked);
  const Array<ScanState> now(on.device, states);
  const Array<std::int32_t> bars(on.device, barred);
  const Array<Found> found(on.device, std::vector<Found>(lists * capacity, {0, 0, -1, 0}));
  const SelectColumns request{.tile = on.tile(first, rows),
                              .first_listed = 32,
                              .capacity = capacity,
                              .unit = 2.0,
                              .asked = questions.data(),
                              .barred = bars.data(),
                              .states = now.data(),
                              .lists = found.data()};
  on.device->require(on.device->table().epilogues.select_columns(on.device->compute(), &request));
  return {now.download(), found.download()};
}

void columns_list_their_queries() {
  Scored scored(400, 150, 12);
  scored.scores[70 * 400 + 65] = nan;
  const std::vector<std::int32_t> barred{9, 12, 75, 159, 400};
  const float threshold = 1.5f;
  const auto [states, lists] = columns_of(scored, 32, 330, 150, barred, threshold);
  for (Index row = 32; row < 362; ++row) {
    const Index list = row - 32;
    std::map<std::int32_t, Found> found;
    for (std::int32_t at = 0; at < states[list].count; ++at) {
      const Found& each = lists[list * 150 + at];
      check(found.emplace(each.row, each).second, "a query is listed once");
      check(each.flags == (found_admissible | found_admissible_counts), "a query counts");
    }
    for (Index i = 0; i < 150; ++i) {
      const TileLane& own = scored.lane[i];
      const bool bars =
          row == 33 && std::find(barred.begin(), barred.end(), own.row) != barred.end();
      const double upper = (scored.upper(i, row) + own.above) * own.unit / 2;
      const double lower = (scored.lower(i, row) + own.below) * own.unit / 2;
      const auto at = found.find(own.row);
      if (at == found.end()) {
        check(bars || upper < threshold, "a query that reaches the threshold is listed");
        continue;
      }
      check(!bars, "a barred query");
      if (std::isnan(upper)) continue;
      check(double{at->second.upper} >= upper &&
                at->second.upper <= upper + 1e-6 * std::abs(upper) && at->second.upper >= threshold,
            "the upper bound of a query, rounded up");
      check(double{at->second.lower} <= lower && at->second.lower >= lower - 1e-6 * std::abs(lower),
            "the lower bound of a query, rounded down");
    }
    check(row != 65 || found.contains(10 + 70), "a NaN may be anything");
  }
  for (Index list = 330; list < 368; ++list)
    check(states[list].count == 0, "a row beyond the tile");
}

void a_full_list_of_a_column_is_not_left() {
  const Scored scored(70, 100, 13);
  const auto [states, lists] = columns_of(scored, 32, 37, 20, {}, -infinity);
  for (Index list = 0; list < 37; ++list) check(states[list].count == 100, "all are counted");
  for (Index at = 37 * 20; at < 38 * 20; ++at)
    check(lists[at].row == -1, "the list after the last");
}

// Questions with two filters and one without, from row 64 on.
void rows_outside_a_filter_are_neither_listed_nor_counted() {
  const Index rows = 700;
  const auto device = tested_device();
  Words words(2 * 24, 0);
  for (Index row = 0; row < rows; ++row) {
    if (row % 3 == 0) words[row / 32] |= 1u << (row % 32);
    if (row >= 320 && row % 64 < 40) words[24 + row / 32] |= 1u << (row % 32);
  }
  AskedScan asked{};
  asked.ranked = 1, asked.depth = 3, asked.scale = 1;
  asked.above[0] = asked.maybe[0] = asked.above[1] = asked.maybe[1] = infinity;
  asked.above[2] = asked.maybe[2] = 0;
  std::vector<AskedScan> questions(3, asked);
  questions[0].filter = 0, questions[1].filter = 24, questions[2].filter = -1;
  questions[1].end_barred = 2;
  ScanState start{};
  start.admissible = -infinity;
  const Array<AskedScan> of(device, questions);
  const Array<ScanState> states(device, std::vector<ScanState>(3, start));
  const Array<float> scores(device, std::vector<float>(rows, 1.0f));
  const Array<RowBound> bounds(device, std::vector<RowBound>(rows, {0, 0, 0, 0, 1}));
  const Array<std::uint32_t> filters(device, words);
  const Array<std::int32_t> barred(device, std::vector<std::int32_t>{64 + 5, 64 + 325});
  const Array<Found> lists(device, std::vector<Found>(3 * rows, {0, 0, -1, 0}));
  const SelectRows request{.scores = scores.data(),
                           .stride = rows,
                           .rows = static_cast<std::int32_t>(rows),
                           .first_row = 64,
                           .asked_count = 3,
                           .capacity = static_cast<std::int32_t>(rows),
                           .groups = 0,
                           .unused = 0,
                           .asked = of.data(),
                           .states = states.data(),
                           .bounds = bounds.data(),
                           .row_groups = nullptr,
                           .shared = nullptr,
                           .barred = barred.data(),
                           .filters = filters.data(),
                           .lists = lists.data()};
  device->require(device->table().scans.select_rows(device->compute(), &request));
  const auto now = states.download();
  const auto listed = lists.download();
  for (Index i = 0; i < 3; ++i) {
    std::set<std::int32_t> expected, found;
    for (Index row = 0; row < rows; ++row)
      if (i == 2 || ((words[i * 24 + row / 32] >> (row % 32) & 1u) != 0 && (i == 0 || row != 325)))
        expected.insert(static_cast<std::int32_t>(64 + row));
    for (std::int32_t at = 0; at < now[i].count; ++at) found.insert(listed[i * rows + at].row);
    check(found == expected, "the rows in filter " + std::to_string(i));
    check(now[i].above[2] == static_cast<std::int32_t>(expected.size()), "counts of a filter");
  }
}

void all_kernels() {
  for (const std::uint64_t seed : {1, 2}) {
    emulation::options.seed = seed;
    products_have_the_bits_of_a_plain_loop(1, 1, 1);
    products_have_the_bits_of_a_plain_loop(70, 130, 37);
    products_have_the_bits_of_a_plain_loop(3, 64, 16);
    sums_of_exponentials_are_right(170, {});
    sums_of_exponentials_are_right(170, {0, 0x80000001u, 0, 5, 0xFFFFFFFFu, 0xFFFFFFFFu});
    bounds_of_documents_are_the_highest();
    documents_are_listed_with_their_sums();
    columns_list_their_queries();
    a_full_list_of_a_column_is_not_left();
    rows_outside_a_filter_are_neither_listed_nor_counted();
  }
}

}  // namespace

int main() {
  on_chosen_device([](const std::string&) { all_kernels(); });
  all_kernels();
  check_emulation("kernels of epilogues");
  return report("cuda epilogue kernels");
}
