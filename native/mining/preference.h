#pragma once

#include <optional>
#include <vector>

#include "mining/judge.h"

namespace gemmine {

// A near-duplicate of a row that comes before it in the order of preference.
struct Skipped {
  Negative negative;
  std::size_t after;  // number of rows in Preference::rows that come before it
};

// Survivors of one query in the order in which it takes them.
struct Preference {
  std::vector<Negative> rows;
  std::vector<Skipped> skipped;
  bool complete;  // no other survivor can follow
};

// `survivors` are best first, `pool` is how many were asked for. Order::marginal and
// near-duplicates are left to diversify().
Preference preference_of(const MineOptions& options, Index query, std::optional<double> reference,
                         Index pool, std::vector<Negative> survivors);

// What a query takes of its preference, and what it does not.
struct Selection {
  std::vector<Negative> negatives;  // best first
  std::vector<RuledRow> skipped;    // near-duplicates and hubs that came before the last negative
};

// Takes the first `count` rows.
Selection first_of(const Preference& preference, Index count);

// Takes the rows with `taken[i]` of those before `end`; the others are hubs. `full`: the query
// needs no more.
Selection taken_of(const Preference& preference, const std::vector<bool>& taken, std::size_t end,
                   bool full);

}  // namespace gemmine
