#include "mining/preference.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "backend/draw.h"
#include "core/portable_log.h"

// docs/math/mining.md, "Drawing", has the formulae and their sources.
namespace gemmine {
namespace {

constexpr std::uint32_t bin_stream = 0x62696E73;  // apart from other random numbers

using Places = std::vector<std::size_t>;  // in the pool

// The pool of one query, best first, with the keys of its rows.
class PoolOrder {
 public:
  PoolOrder(const MineOptions& options, Index query, std::optional<double> reference,
            std::span<const Negative> pool)
      : options_(options),
        query_(static_cast<std::uint64_t>(query)),
        reference_(reference),
        pool_(pool) {
    const Draw draw{.count = 0, .seed = options.seed, .query = query_};
    for (const Negative& each : pool) keys_.push_back(draw.key(each.row));
  }

  Places places(const SamplingRule& rule) const {
    switch (rule.order) {
      case Order::drawn:
        return by_keys(rule.taken);
      case Order::softmax:
        return by_weights([&](double score) { return score / options_.numbers.temperature; });
      case Order::near:
        return by_weights([&](double score) { return near_weight(score); });
      case Order::distant:
        return by_weights([&](double score) { return distance_weight(score); });
      case Order::strided:
        return strided();
      case Order::quantiles:
        return quantiles();
      case Order::bins:
        return bins();
      case Order::best:
      case Order::marginal:
        break;
    }
    return all();
  }

 private:
  Places all() const {
    Places places(pool_.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    return places;
  }

  bool key_before(std::size_t a, std::size_t b) const {
    return RowKey{keys_[a], pool_[a].row} < RowKey{keys_[b], pool_[b].row};
  }

  Places by_keys(Index taken) const {
    Places places = all();
    const auto drawn = places.begin() + std::min(taken, static_cast<Index>(places.size()));
    std::sort(drawn, places.end(), [&](auto a, auto b) { return key_before(a, b); });
    return places;
  }

  // Without replacement, with probabilities proportional to weights: the largest log w − log(−log
  // u) first (Gumbel keys). Equal weights give the order of by_keys, up to the last bits of keys.
  // Rows with weight 0 have no place.
  template <class LogWeight>
  Places by_weights(LogWeight log_weight) const {
    std::vector<double> values;
    Places places;
    for (std::size_t i = 0; i < pool_.size(); ++i) {
      const double u = 1 - (static_cast<double>(keys_[i] >> 12) + 0.5) * 0x1p-52;
      const double weight = log_weight(pool_[i].score);
      values.push_back(weight - portable_log(-portable_log(u)));
      if (weight > -std::numeric_limits<double>::infinity()) places.push_back(i);
    }
    std::stable_sort(places.begin(), places.end(),
                     [&](auto a, auto b) { return values[a] > values[b]; });
    return places;
  }

  // All weights are equal without a reference.
  double near_weight(double score) const {
    const double gap = score - reference_.value_or(score) - options_.numbers.simans_b;
    return reference_ ? -(options_.numbers.simans_a * (gap * gap)) : 0.0;
  }

  // Scores are cosines s, so the squared distance D of unit rows is 2 − 2s.
  double distance_weight(double score) const {
    const SamplingNumbers& numbers = options_.numbers;
    const auto d = static_cast<double>(numbers.dimensions);
    const double squared =
        std::max(2 - 2 * score, numbers.distance_cutoff * numbers.distance_cutoff);
    if (squared >= numbers.distance_limit * numbers.distance_limit)
      return -std::numeric_limits<double>::infinity();
    return -(d - 2) / 2 * portable_log(squared) - (d - 3) / 2 * portable_log(1 - squared / 4);
  }

  Places strided() const {
    const auto step = static_cast<std::size_t>(options_.numbers.stride);
    Places places;
    for (std::size_t start = 0; start < std::min(step, pool_.size()); ++start)
      for (std::size_t i = start; i < pool_.size(); i += step) places.push_back(i);
    return places;
  }

  // Turn t takes the row with key number t of each run that has one.
  Places quantiles() const {
    const auto runs = static_cast<std::size_t>(options_.num_negatives);
    std::vector<std::pair<std::size_t, std::size_t>> turns(pool_.size());  // turn, run
    Places places = all();
    for (std::size_t run = 0; run < runs; ++run) {
      const std::size_t begin = run * pool_.size() / runs, end = (run + 1) * pool_.size() / runs;
      std::sort(places.begin() + static_cast<std::ptrdiff_t>(begin),
                places.begin() + static_cast<std::ptrdiff_t>(end),
                [&](auto a, auto b) { return key_before(a, b); });
      for (std::size_t i = begin; i < end; ++i) turns[places[i]] = {i - begin, run};
    }
    std::sort(places.begin(), places.end(), [&](auto a, auto b) { return turns[a] < turns[b]; });
    return places;
  }

  Places bins() const {
    std::vector<Places> filled = filled_bins();
    const CounterRandom random(options_.seed, bin_stream);
    Places places;
    for (std::uint32_t draw = 0; !filled.empty(); ++draw) {
      const std::uint64_t word = random.bits(query_, draw) >> 32;
      const auto bin = static_cast<std::ptrdiff_t>((word * filled.size()) >> 32);
      Places& drawn = filled[static_cast<std::size_t>(bin)];
      places.push_back(drawn.back());
      drawn.pop_back();
      if (drawn.empty()) filled.erase(filled.begin() + bin);
    }
    return places;
  }

  // Bins that have rows, lowest scores first; the rows of each with the smallest key last.
  std::vector<Places> filled_bins() const {
    if (pool_.empty()) return {};
    const auto count = static_cast<std::size_t>(options_.numbers.bins);
    const double low = pool_.back().score, width = pool_.front().score - low;
    std::vector<Places> filled;
    std::size_t last = count;
    for (std::size_t i = pool_.size(); i-- > 0;) {
      const double share = width > 0 ? (pool_[i].score - low) / width : 0.0;
      const std::size_t bin =
          std::min(static_cast<std::size_t>(share * static_cast<double>(count)), count - 1);
      if (filled.empty() || bin != last) filled.emplace_back();
      filled.back().push_back(i);
      last = bin;
    }
    for (Places& each : filled)
      std::sort(each.begin(), each.end(), [&](auto a, auto b) { return key_before(b, a); });
    return filled;
  }

  const MineOptions& options_;
  const std::uint64_t query_;
  const std::optional<double> reference_;
  const std::span<const Negative> pool_;
  std::vector<std::uint64_t> keys_;
};

void sort_by_rank(std::vector<Negative>& negatives) {
  std::sort(negatives.begin(), negatives.end(),
            [](const Negative& a, const Negative& b) { return a.rank < b.rank; });
}

RuledRow ruled(const Negative& negative, Rule rule) {
  return {{negative.score, negative.row}, rule};
}

}  // namespace

Preference preference_of(const MineOptions& options, Index query, std::optional<double> reference,
                         Index pool, std::vector<Negative> survivors) {
  const SamplingRule& rule = rule_for(options.sampling);
  const bool complete = rule.pool == Pool::best || static_cast<Index>(survivors.size()) < pool;
  Preference preference{.rows = {}, .skipped = {}, .complete = complete};
  if (rule.order == Order::best || rule.order == Order::marginal) {
    preference.rows = std::move(survivors);
    return preference;
  }
  Places places = PoolOrder(options, query, reference, survivors).places(rule);
  // Of a draw from all survivors only so many rows with the smallest keys are known.
  if (rule.pool == Pool::all)
    places.resize(std::min(places.size(), static_cast<std::size_t>(pool)));
  for (const std::size_t place : places) preference.rows.push_back(survivors[place]);
  return preference;
}

Selection first_of(const Preference& preference, Index count) {
  const std::size_t end = std::min(preference.rows.size(), static_cast<std::size_t>(count));
  return taken_of(preference, std::vector<bool>(end, true), end, static_cast<Index>(end) == count);
}

Selection taken_of(const Preference& preference, const std::vector<bool>& taken, std::size_t end,
                   bool full) {
  Selection selection;
  for (std::size_t i = 0; i < end; ++i) {
    if (taken[i])
      selection.negatives.push_back(preference.rows[i]);
    else
      selection.skipped.push_back(ruled(preference.rows[i], Rule::hub));
  }
  for (const Skipped& each : preference.skipped)
    if (!full || each.after < end)
      selection.skipped.push_back(ruled(each.negative, Rule::near_duplicate));
  sort_by_rank(selection.negatives);
  return selection;
}

}  // namespace gemmine
