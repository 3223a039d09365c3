#pragma once

#include <algorithm>
#include <array>

#include "core/matrix.h"
#include "core/named.h"

namespace gemmine {

enum class Sampling { top, random, top1_random, band };

// The survivors of the rules from which a query's negatives come.
enum class Pool {
  negatives,  // as many of the best as negatives are wanted, so nothing is drawn
  best,       // MineOptions::pool of the best
  all,
};

// A query gets the `taken` best of the pool, and others with the same probability for every subset.
struct SamplingRule {
  Sampling sampling;
  Pool pool;
  Index taken;
};
inline constexpr std::array<Named<SamplingRule>, 4> samplings{
    {{"top", {.sampling = Sampling::top, .pool = Pool::negatives, .taken = 0}},
     {"random", {.sampling = Sampling::random, .pool = Pool::best, .taken = 0}},
     {"top1-random", {.sampling = Sampling::top1_random, .pool = Pool::best, .taken = 1}},
     {"band", {.sampling = Sampling::band, .pool = Pool::all, .taken = 0}}}};

constexpr const SamplingRule& rule_for(Sampling sampling) {
  return std::ranges::find_if(samplings,
                              [&](const auto& named) { return named.second.sampling == sampling; })
      ->second;
}

}  // namespace gemmine
