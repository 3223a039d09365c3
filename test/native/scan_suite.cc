// The scan's kernels for every instruction set compared with plain loops, and its error bound on
// difficult data.
#include <bit>
#include <cstring>

#include "backend/cpu/canonical.h"
#include "backend/cpu/scan_queries.h"
#include "backend/proof/scan_bounds.h"
#include "check.h"
#include "core/pool.h"
#include "core/row_block.h"
#include "mining_oracle.h"

using namespace test;
using namespace gemmine::cpu;
using gemmine::Job;
using gemmine::ScanBound;
using gemmine::ScanEvent;
using gemmine::ScanQuery;

namespace {

const Job job{.cancellation = {}, .report = {}, .threads = 3};

std::vector<float> normals(Index count, Dice& dice) {
  std::vector<float> values(count);
  for (float& each : values) each = static_cast<float>(dice.normal());
  return values;
}

// Rows [count][d] as words [words][count], the layout of queries and panels.
std::vector<float> packed(const ScanFormat& format, const std::vector<float>& rows, Index d) {
  const Index words = format.words(d), count = static_cast<Index>(rows.size()) / d;
  std::vector<float> row(words), all(words * count);
  for (Index i = 0; i < count; ++i) {
    format.pack_row(&rows[i * d], d, row.data());
    for (Index t = 0; t < words; ++t) all[t * count + i] = row[t];
  }
  return all;
}

void test_score_tile(const ScanFormat& format) {
  for (const Index d : {1, 2, 3, 7, 16, 63, 384, 1000}) {
    Dice dice(d);
    const auto queries = normals(d * tile_queries, dice), rows = normals(d * panel_rows, dice);
    std::vector<float> tile(tile_queries * panel_rows);
    format.score_tile(packed(format, queries, d).data(), tile_queries,
                      packed(format, rows, d).data(), format.words(d), tile.data());
    // Of what is left of the numbers after packing, so that only the sums' own error remains.
    const auto kept = [&](float x) {
      float word = 0;
      format.pack_row(&x, 1, &word);
      const auto bits = std::bit_cast<std::uint32_t>(word);
      return double{format.per_word == 1 ? word : std::bit_cast<float>(bits << 16)};
    };
    for (int q = 0; q < tile_queries; ++q)
      for (int row = 0; row < panel_rows; ++row) {
        double sum = 0, size = 0;
        for (Index t = 0; t < d; ++t) {
          const double term = kept(queries[q * d + t]) * kept(rows[row * d + t]);
          sum += term;
          size += std::abs(term);
        }
        near(tile[q * panel_rows + row], sum,
             gemmine::bounds::product_error(d, format.unit_roundoff) * size,
             std::string("score_tile, ") + format.name + ", d " + std::to_string(d));
      }
  }
}

// A packed row is the nearest in its format, and pack_row says how far off.
void test_pack_row(const ScanFormat& format) {
  const double step = format.per_word == 1 ? 0 : 0x1p-8;
  for (const Index d : {1, 2, 15, 16, 17, 31, 32, 33, 384}) {
    Dice dice(d);
    std::vector<float> row = normals(d, dice), words(format.words(d) + 1, -1.0f);
    row[d / 2] = 1e-40f;  // too small for bfloat16
    row[d / 3] = -0x1.01p3f;
    double expected = 0;
    std::vector<std::uint32_t> bits(words.size());
    const double residual = format.pack_row(row.data(), d, words.data());
    std::memcpy(bits.data(), words.data(), words.size() * sizeof(float));
    const std::string what = std::string("pack_row, ") + format.name + ", d " + std::to_string(d);
    for (Index t = 0; t < d; ++t) {
      const std::uint32_t word = bits[t / format.per_word];
      const std::uint32_t half = t % 2 == 0 ? word << 16 : word & 0xFFFF0000u;
      const double off = double{row[t]} - std::bit_cast<float>(format.per_word == 1 ? word : half);
      check(std::abs(off) <= step * std::abs(row[t]) || std::abs(row[t]) < 0x1p-126, what);
      expected += off * off;
    }
    near(residual, expected, 1e-12 * expected, what);
    check(words.back() == -1.0f, what + ": nothing beyond the row is written");
    if (format.per_word == 2 && d % 2 == 1)
      check(bits[d / 2] >> 16 == 0, what + ": the last word is filled up");
  }
}

void test_bound_tile(const ScanKernels& kernels) {
  constexpr Index size = tile_queries * panel_rows;
  Dice dice(4);
  const auto tile = normals(size, dice);
  PanelBounds bounds;
  RowFactors factors;
  const auto fill = [&](auto& values) {
    for (float& each : values) each = static_cast<float>(std::abs(dice.normal()));
  };
  fill(bounds.up);
  fill(bounds.down);
  fill(bounds.norm);
  fill(bounds.residual);
  fill(factors.norm);
  fill(factors.residual);
  std::vector<float> upper(size), lower(size);
  kernels.bound_tile(tile.data(), factors, tile_queries, bounds, upper.data(), lower.data());
  for (int q = 0; q < tile_queries; ++q)
    for (int row = 0; row < panel_rows; ++row) {
      const int at = q * panel_rows + row;
      const double error = double{factors.norm[q]} * bounds.norm[row] +
                           double{factors.residual[q]} * bounds.residual[row];
      const std::string what = std::string("bound_tile, ") + kernels.name;
      near(upper[at], double{tile[at]} + bounds.up[row] + error, 1e-5, what);
      near(lower[at], double{tile[at]} + bounds.down[row] - error, 1e-5, what);
    }
}

void test_filter_tile(const ScanKernels& kernels) {
  Dice dice(3);
  const auto upper = normals(tile_queries * panel_rows, dice);
  auto lower = upper;
  for (float& each : lower) each -= 0.25f;
  TileFilter filter{};
  filter.count = 7;
  for (bool& each : filter.used) each = true;
  filter.rejected_used = true;
  for (int q = 0; q < tile_queries; ++q) {
    filter.admissible[q] = upper[q * panel_rows + 5];  // a bound that is reached passes
    filter.rejected[q] = q == 3 ? std::numeric_limits<float>::infinity() : 0.5f;
    for (int level = 0; level < gemmine::level_count; ++level) {
      filter.above[level][q] = 0.1f * static_cast<float>(level);
      filter.maybe[level][q] = 0.1f * static_cast<float>(level) - 0.05f;
    }
  }
  ScanEvent events[tile_queries];
  const int found = kernels.filter_tile(filter, upper.data(), lower.data(), events);
  check(found == filter.count, "every query of the tile has an event");
  for (int i = 0; i < found; ++i)
    for (int row = 0; row < panel_rows; ++row) {
      const int q = events[i].query;
      const float u = upper[q * panel_rows + row], l = lower[q * panel_rows + row];
      const auto bit = [&](std::uint32_t bits) { return (bits >> row & 1u) != 0; };
      bool right = bit(events[i].admissible) == (u >= filter.admissible[q]) &&
                   bit(events[i].rejected) == (u >= filter.rejected[q]);
      for (int level = 0; level < gemmine::level_count; ++level)
        right &= bit(events[i].above[level]) == (l > filter.above[level][q]) &&
                 bit(events[i].straddling[level]) ==
                     (u > filter.maybe[level][q] && l <= filter.above[level][q]);
      check(right, std::string("filter_tile, ") + kernels.name);
    }
}

void test_not_a_number_passes(const ScanKernels& kernels) {
  std::vector<float> scores(panel_rows, std::numeric_limits<float>::quiet_NaN());
  TileFilter filter{};
  filter.count = 1;
  for (bool& each : filter.used) each = true;
  filter.rejected_used = true;
  ScanEvent events[tile_queries];
  const int found = kernels.filter_tile(filter, scores.data(), scores.data(), events);
  check(found == 1 && events[0].admissible == ~0u && events[0].straddling[0] == ~0u &&
            events[0].above[0] == 0,
        std::string("a NaN stays a candidate, ") + kernels.name);
}

void test_canonical_sums(const ScanKernels& kernels) {
  for (Index d = 1; d < 40; ++d) {
    Dice dice(d);
    std::vector<double> query((d + 7) / 8 * 8);
    const auto narrow = normals(d, dice);
    std::copy(narrow.begin(), narrow.end(), query.begin());
    std::vector<std::vector<float>> rows(4);
    const float* pointers[4];
    for (int i = 0; i < 4; ++i) {
      rows[i] = normals(d, dice);
      for (float& each : rows[i])
        each = static_cast<float>(each * std::pow(10.0, 30 * dice.uniform() - 20));
      pointers[i] = rows[i].data();
    }
    double dots[4], distances[4];
    kernels.dot_rows(query.data(), pointers, d, dots);
    kernels.distance_rows(query.data(), pointers, d, distances);
    for (int i = 0; i < 4; ++i)
      check(dots[i] == plain_dot(narrow.data(), pointers[i], d) &&
                0.0 - distances[i] == plain_score(Metric::l2, narrow.data(), pointers[i], d),
            std::string("canonical sums, ") + kernels.name + ", d " + std::to_string(d));
  }
}

// ---- The bound

Rows adversarial_rows(Index kind, Index rows, Index d, Dice& dice) {
  Rows made{rows, d, std::vector<float>(rows * d)};
  for (Index i = 0; i < rows; ++i) {
    const double size = std::pow(10.0, 50 * dice.uniform() - 25);
    for (Index t = 0; t < d; ++t) {
      const double x = dice.normal();
      const double values[] = {x,
                               1e4 + x,
                               size * x,
                               1e-42 * x,
                               3e38 * (dice.uniform() - 0.5),
                               t < 2 ? 0x1p70 * (t == 0 ? 1 : -1) : x,
                               t % 2 == 0 ? 1.0 : -1.0 + 0x1p-20 * x,
                               1.0 + 0x1p-23 * static_cast<double>(dice.below(9)),
                               dice.chance(10) ? x : 0.0,
                               i % 2 == 0 ? 1e30 * x : 1e-30 * x};
      made.values[i * d + t] = static_cast<float>(values[kind]);
    }
  }
  return made;
}

constexpr Index adversaries = 10;

struct Violations {
  Index pairs = 0;
  Index outside = 0;
  Index unusable = 0;
  double largest = 0;  // error over bound
};

// Every canonical score must lie within the bounds that the scan gives it.
void look_at_bounds(const CpuCorpus& corpus, const CpuQueries& queries, const Rows& q,
                    const Rows& c, Violations& violations) {
  ScanPanels panels = corpus.panels();
  std::vector<ScanQuery> asked;
  for (Index i = 0; i < q.rows; ++i) asked.push_back({.query = i, .depth = 1});
  std::vector<const ScanQuery*> pointers;
  for (const ScanQuery& each : asked) pointers.push_back(&each);
  const QueryTiles tiles(queries, panels, pointers, 1.0, job);
  const auto space = allocate_aligned(panels.count() * panels.size());
  const PanelRun all = panels.get(0, panels.count(), space.get(), job);
  float tile[tile_queries * panel_rows], upper[tile_queries * panel_rows],
      lower[tile_queries * panel_rows];
  for (Index p = 0; p < panels.count(); ++p)
    for (Index i = 0; i < q.rows; ++i) {
      const float* panel = all[p];
      if (i % tile_queries == 0) {
        const Index at = i / tile_queries;
        panels.format().score_tile(tiles.tile(at), tile_queries, panel, panels.words(), tile);
        scan_kernels().bound_tile(tile, tiles.factors(at), tile_queries, panels.bounds_of(panel),
                                  upper, lower);
      }
      const ScanBound& bound = tiles.bound(i);
      if (!bound.usable) {
        ++violations.unusable;
        continue;
      }
      for (Index row = p * panel_rows; row < std::min(c.rows, (p + 1) * panel_rows); ++row) {
        const Index at = i % tile_queries * panel_rows + row % panel_rows;
        const double score = plain_score(corpus.metric(), q.row(i), c.row(row), q.d) / bound.unit;
        const double top = upper[at] + bound.offset + bound.error,
                     bottom = lower[at] + bound.offset - bound.error;
        ++violations.pairs;
        violations.outside += !(score <= top && score >= bottom);
        const double middle = (top + bottom) / 2, half = (top - bottom) / 2;
        violations.largest = std::max(violations.largest, std::abs(score - middle) / half);
      }
    }
}

void test_bounds(const ScanFormat& format, Index rounds) {
  const char* const names[] = {"cosine", "dot", "l2"};
  for (const Metric metric : {Metric::cosine, Metric::dot, Metric::l2}) {
    Violations violations;
    for (Index round = 0; round < rounds; ++round) {
      Dice dice(round);
      const Index ds[] = {1, 2, 8, 17, 64, 384};
      const Index d = ds[dice.below(6)];
      const Index kind = dice.below(adversaries);
      const Rows c = adversarial_rows(kind, 1 + dice.below(100), d, dice);
      const Rows q = adversarial_rows(dice.chance(3) ? dice.below(adversaries) : kind, 14, d, dice);
      const auto rows =
          gemmine::dense_source(c.values.data(), gemmine::ElementType::float32, c.rows, d, d);
      const auto asking =
          gemmine::dense_source(q.values.data(), gemmine::ElementType::float32, q.rows, d, d);
      const CpuCorpus corpus(*rows, metric, format, round % 2 == 0, job);
      const CpuQueries queries(*asking, corpus, job);
      look_at_bounds(corpus, queries, q, c, violations);
    }
    std::printf("%s, %s: %ld pairs, %ld outside, largest error %.3f of its bound, %ld unusable\n",
                format.name, names[static_cast<int>(metric)], static_cast<long>(violations.pairs),
                static_cast<long>(violations.outside), violations.largest,
                static_cast<long>(violations.unusable));
    check(violations.outside == 0, "no score lies outside its bounds");
    check(violations.pairs > 100 * violations.unusable, "most queries can be scanned");
  }
}

void test_scorer_reads_every_type() {
  Dice dice(6);
  std::vector<std::int8_t> bytes(50 * 13);
  for (auto& each : bytes) each = static_cast<std::int8_t>(dice.below(256) - 128);
  Rows wide{50, 13, std::vector<float>(bytes.begin(), bytes.end())};
  const auto source = gemmine::dense_source(bytes.data(), gemmine::ElementType::int8, 50, 13, 13);
  CanonicalScorer scorer(*source, nullptr, *source, nullptr, Metric::l2);
  scorer.begin(17);
  std::vector<std::int32_t> rows;
  for (std::int32_t row = 49; row >= 0; row -= 3) rows.push_back(row);
  std::vector<double> scores(rows.size()), range(50);
  scorer.score(rows.data(), static_cast<Index>(rows.size()), scores.data());
  gemmine::RowScratch scratch;
  scorer.score_rows(source->block(0, 50, scratch).dense, 0, range.data());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double expected = plain_score(Metric::l2, wide.row(17), wide.row(rows[i]), 13);
    check(scores[i] == expected && range[rows[i]] == expected, "canonical scores of int8 rows");
  }
}

}  // namespace

int main(int argc, char** argv) {
  gemmine::set_pool_threads(3);
  for (const ScanKernels* kernels : available_scan_kernels()) {
    std::printf("kernels: %s\n", kernels->name);
    test_bound_tile(*kernels);
    test_filter_tile(*kernels);
    test_not_a_number_passes(*kernels);
    test_canonical_sums(*kernels);
  }
  for (const ScanFormat* format : available_scan_formats()) {
    std::printf("format: %s\n", format->name);
    test_score_tile(*format);
    test_pack_row(*format);
    test_bounds(*format, argc > 1 ? std::atol(argv[1]) : 150);
  }
  test_scorer_reads_every_type();
  const int status = report("scan");
  gemmine::stop_pool();
  return status;
}
