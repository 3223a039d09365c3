#pragma once

#include <functional>
#include <map>
#include <tuple>

#include "backend/draw.h"
#include "mining_oracle.h"

// The choice of negatives among the survivors of a query, the slow way: docs/math/mining.md.
namespace test {

class Chosen {
 public:
  // `similar` gives the score of two rows of the corpus; `limit` rows are enough.
  template <class Similar>
  Chosen(const gemmine::MineOptions& options, Index query, std::optional<double> reference,
         std::vector<Ranked> found, std::size_t limit, Similar similar)
      : options_(options), query_(query), reference_(reference), similar_(similar) {
    if (is_pooled(options.sampling)) keep_pool(found);
    pool_ = std::move(found);
    walk(limit);
  }

  // Rows that the query would take, in its order, and how many near-duplicates come before each.
  std::vector<Ranked> rows;
  std::vector<std::pair<Ranked, std::size_t>> near;  // near-duplicates, with the rows before them

  // The best rows, and those of a list beside.
  void keep_pool(std::vector<Ranked>& found) const {
    const auto list = gemmine::beside_list(options_, query_);
    const Index pool = std::max(options_.pool, options_.num_negatives);
    std::vector<Ranked> kept;
    for (std::size_t i = 0; i < found.size(); ++i)
      if (static_cast<Index>(i) < pool ||
          std::find(list.begin(), list.end(), found[i].row) != list.end())
        kept.push_back(found[i]);
    found = std::move(kept);
  }

  static bool is_pooled(gemmine::Sampling sampling) {
    using enum gemmine::Sampling;
    return sampling != top && sampling != band;
  }

 private:
  std::uint64_t key(const Ranked& each) const {
    return gemmine::CounterRandom(options_.seed, gemmine::draw_stream)
        .bits(static_cast<std::uint64_t>(query_), static_cast<std::uint32_t>(each.row));
  }

  // Smallest first.
  double race(const Ranked& each, double log_weight) const {
    const double u = (static_cast<double>(key(each) >> 12) + 0.5) * 0x1p-52;
    return std::log(-std::log1p(-u)) - log_weight;
  }

  // −∞ for a row that is never drawn; scores are cosines.
  double distance_weight(double score) const {
    const auto& numbers = options_.numbers;
    const double distance = std::max(std::sqrt(2 - 2 * score), numbers.distance_cutoff);
    if (distance >= numbers.distance_limit) return -std::numeric_limits<double>::infinity();
    const auto d = static_cast<double>(numbers.dimensions);
    return (2 - d) * std::log(distance) - (d - 3) / 2 * std::log(1 - distance * distance / 4);
  }

  std::vector<std::size_t> by(const std::vector<std::tuple<double, double>>& values) const {
    std::vector<std::size_t> places(pool_.size());
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
    std::erase_if(places, [&](auto i) { return std::isinf(std::get<0>(values[i])); });
    std::stable_sort(places.begin(), places.end(),
                     [&](auto a, auto b) { return values[a] < values[b]; });
    return places;
  }

  std::vector<std::size_t> order() const {
    using enum gemmine::Sampling;
    const auto& numbers = options_.numbers;
    const auto m = pool_.size();
    std::vector<std::tuple<double, double>> values(m);
    if (options_.sampling == bins) return of_bins();
    for (std::size_t i = 0; i < m; ++i) {
      const auto place = static_cast<double>(i), chance = static_cast<double>(key(pool_[i]));
      const double score = pool_[i].score;
      const auto k = static_cast<std::size_t>(options_.num_negatives);
      switch (options_.sampling) {
        case top:
        case mmr:
          values[i] = {place, 0};
          break;
        case random:
        case band:
          values[i] = {chance, 0};
          break;
        case top1_random:
          values[i] = {i > 0, chance};
          break;
        case weighted:
          values[i] = {race(pool_[i], score / numbers.temperature), 0};
          break;
        case simans: {
          const double gap = reference_ ? score - *reference_ - numbers.simans_b : 0;
          values[i] = {race(pool_[i], reference_ ? -numbers.simans_a * gap * gap : 0), 0};
          break;
        }
        case distance_weighted:
          values[i] = {race(pool_[i], distance_weight(score)), 0};
          break;
        case stride:
          values[i] = {static_cast<double>(i % static_cast<std::size_t>(numbers.stride)), place};
          break;
        case quantiles: {
          std::size_t run = 0;
          while ((run + 1) * m / k <= i) ++run;
          double turn = 0;
          for (std::size_t j = run * m / k; j < (run + 1) * m / k; ++j)
            turn += key(pool_[j]) < key(pool_[i]);
          values[i] = {turn, static_cast<double>(run)};
          break;
        }
        case bins:
          break;
      }
    }
    return by(values);
  }

  std::vector<std::size_t> of_bins() const {
    std::map<Index, std::vector<std::size_t>> filled;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < pool_.size(); ++i) {
      const double low = pool_.back().score, width = pool_.front().score - low;
      const double share = width > 0 ? (pool_[i].score - low) / width : 0;
      filled[std::min(static_cast<Index>(share * static_cast<double>(options_.numbers.bins)),
                      options_.numbers.bins - 1)]
          .push_back(i);
    }
    const gemmine::CounterRandom random(options_.seed, 0x62696E73);
    for (std::uint32_t draw = 0; !filled.empty(); ++draw) {
      auto bin = filled.begin();
      const std::uint64_t word = random.bits(static_cast<std::uint64_t>(query_), draw) >> 32;
      std::advance(bin, static_cast<std::ptrdiff_t>((word * filled.size()) >> 32));
      const auto least =
          std::min_element(bin->second.begin(), bin->second.end(),
                           [&](auto a, auto b) { return key(pool_[a]) < key(pool_[b]); });
      places.push_back(*least);
      bin->second.erase(least);
      if (bin->second.empty()) filled.erase(bin);
    }
    return places;
  }

  struct Rest {
    Ranked row;
    double nearest;  // highest score with a row that was taken
  };

  std::size_t next_of(const std::vector<Rest>& rest) const {
    if (options_.sampling != gemmine::Sampling::mmr || rows.empty()) return 0;
    const double lambda = options_.numbers.mmr_lambda;
    const auto value = [&](const Rest& each) {
      const double relevance = lambda * each.row.score, likeness = (1 - lambda) * each.nearest;
      return relevance - likeness;
    };
    std::size_t best = 0;
    for (std::size_t i = 1; i < rest.size(); ++i)
      if (value(rest[i]) > value(rest[best])) best = i;
    return best;
  }

  void walk(std::size_t limit) {
    const auto& threshold = options_.caps.near_duplicate_score;
    const bool compares = threshold || options_.sampling == gemmine::Sampling::mmr;
    std::vector<Rest> rest;
    for (const std::size_t place : order())
      rest.push_back({pool_[place], -std::numeric_limits<double>::infinity()});
    while (!rest.empty() && rows.size() < limit) {
      const auto at = static_cast<std::ptrdiff_t>(next_of(rest));
      const Rest next = rest[static_cast<std::size_t>(at)];
      rest.erase(rest.begin() + at);
      if (threshold && next.nearest >= *threshold) {
        near.emplace_back(next.row, rows.size());
        continue;
      }
      rows.push_back(next.row);
      if (!compares) continue;
      for (Rest& each : rest)
        each.nearest = std::max(each.nearest, similar_(next.row.row, each.row.row));
    }
  }

  const gemmine::MineOptions& options_;
  Index query_;
  std::optional<double> reference_;
  std::function<double(std::int32_t, std::int32_t)> similar_;
  std::vector<Ranked> pool_;
};

// Which rows of each list a query gets if no row may have more than `cap` queries: by repeating,
// for each query that lacks rows, one request for the next row of its list.
struct Shared {
  std::vector<std::vector<bool>> holds;  // of the rows asked for
};

inline Shared shared_out(const std::vector<std::vector<Ranked>>& lists, Index count, Index cap) {
  Shared shared;
  shared.holds.resize(lists.size());
  const auto held = [&](std::size_t query) {
    return std::count(shared.holds[query].begin(), shared.holds[query].end(), true);
  };
  for (bool again = true; again;) {
    again = false;
    for (std::size_t query = 0; query < lists.size(); ++query) {
      auto& holds = shared.holds[query];
      if (held(query) >= count || holds.size() == lists[query].size()) continue;
      again = true;
      const std::int32_t row = lists[query][holds.size()].row;
      holds.push_back(true);
      if (cap >= static_cast<Index>(lists.size())) continue;
      std::vector<std::tuple<double, std::size_t, std::size_t>> holders;  // best first
      for (std::size_t other = 0; other < lists.size(); ++other)
        for (std::size_t i = 0; i < shared.holds[other].size(); ++i)
          if (shared.holds[other][i] && lists[other][i].row == row)
            holders.emplace_back(-lists[other][i].score, other, i);
      std::sort(holders.begin(), holders.end());
      for (std::size_t i = static_cast<std::size_t>(cap); i < holders.size(); ++i)
        shared.holds[std::get<1>(holders[i])][std::get<2>(holders[i])] = false;
    }
  }
  return shared;
}

inline void sort_best_first(std::vector<Ranked>& rows) {
  std::sort(rows.begin(), rows.end(), [](const Ranked& a, const Ranked& b) {
    return a.score > b.score || (a.score == b.score && a.row < b.row);
  });
}

// The answers of all lists: `found` are the negatives.
inline std::vector<ExpectedQuery> expected_answers(const Oracle& oracle,
                                                   const gemmine::MineOptions& options) {
  constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
  const auto count = static_cast<std::size_t>(options.num_negatives);
  std::vector<ExpectedQuery> answers;
  std::vector<Chosen> chosen;
  std::vector<std::vector<Ranked>> lists;
  for (const auto& [query, positive] : oracle.lists()) {
    answers.push_back(oracle.answer(query, positive));
    chosen.emplace_back(options, query, oracle.reference_of(query, positive), answers.back().found,
                        options.caps.hub_cap ? all : count,
                        [&](std::int32_t a, std::int32_t b) { return oracle.similarity(a, b); });
    lists.push_back(chosen.back().rows);
  }
  const Shared shared =
      options.caps.hub_cap
          ? shared_out(lists, options.num_negatives, *options.caps.hub_cap)
          : shared_out(lists, options.num_negatives, std::numeric_limits<std::int32_t>::max());
  for (std::size_t list = 0; list < answers.size(); ++list) {
    ExpectedQuery& answer = answers[list];
    const std::vector<bool>& holds = shared.holds[list];
    answer.found.clear();
    for (std::size_t i = 0; i < holds.size(); ++i) {
      Ranked each = lists[list][i];
      if (!holds[i]) each.rule = 10;
      (holds[i] ? answer.found : answer.rejected).push_back(each);
    }
    const bool full = answer.found.size() == count;
    for (auto [each, after] : chosen[list].near) {
      each.rule = 9;
      if (!full || after < holds.size()) answer.rejected.push_back(each);
    }
    sort_best_first(answer.found);
    sort_best_first(answer.rejected);
  }
  return answers;
}

}  // namespace test
