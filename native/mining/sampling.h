#pragma once

#include <algorithm>
#include <array>

#include "core/matrix.h"
#include "core/named.h"

namespace gemmine {

enum class Sampling {
  top,
  random,
  top1_random,
  band,
  weighted,
  simans,
  distance_weighted,
  stride,
  quantiles,
  bins,
  mmr
};

// The survivors of the rules from which a query's negatives come.
enum class Pool {
  negatives,  // as many of the best as negatives are wanted
  best,       // MineOptions::pool of the best
  all,
};

// The order in which a query takes rows of its pool (preference.cc).
enum class Order {
  best,       // best first
  drawn,      // by keys
  softmax,    // by keys with weights exp(score / temperature)
  near,       // by keys with weights exp(−a (score − p − b)²)
  distant,    // by keys with weights 1 / q(distance), q its density on the sphere
  strided,    // every stride-th, then those after them
  quantiles,  // one of each of num_negatives runs of equal counts in turn, by keys
  bins,       // of one of the bins of equal width, drawn for each row, by keys
  marginal,   // by relevance and distance from those taken before (diversity.cc)
};

// A query first takes the `taken` best of the pool, then the others in the given order.
struct SamplingRule {
  Sampling sampling;
  Pool pool;
  Index taken;
  Order order;
};
inline constexpr std::array<Named<SamplingRule>, 11> samplings{
    {{"top", {Sampling::top, Pool::negatives, 0, Order::best}},
     {"random", {Sampling::random, Pool::best, 0, Order::drawn}},
     {"top1-random", {Sampling::top1_random, Pool::best, 1, Order::drawn}},
     {"band", {Sampling::band, Pool::all, 0, Order::drawn}},
     {"weighted", {Sampling::weighted, Pool::best, 0, Order::softmax}},
     {"simans", {Sampling::simans, Pool::best, 0, Order::near}},
     {"distance-weighted", {Sampling::distance_weighted, Pool::best, 0, Order::distant}},
     {"stride", {Sampling::stride, Pool::best, 0, Order::strided}},
     {"quantiles", {Sampling::quantiles, Pool::best, 0, Order::quantiles}},
     {"bins", {Sampling::bins, Pool::best, 0, Order::bins}},
     {"mmr", {Sampling::mmr, Pool::best, 0, Order::marginal}}}};

constexpr const SamplingRule& rule_for(Sampling sampling) {
  return std::ranges::find_if(samplings,
                              [&](const auto& named) { return named.second.sampling == sampling; })
      ->second;
}

}  // namespace gemmine
