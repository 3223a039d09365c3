#pragma once

#include <vector>

#include "mining/diversity.h"
#include "mining/retrieval.h"

namespace gemmine {

// What is known of one query before its negatives are taken.
struct Choice {
  MinedQuery asked;
  Population population;
  Verdict verdict;
  Preference preference;
};

// Retrieves and judges candidates, and orders the survivors of each query by preference.
class Chooser {
 public:
  // `shared` has the lists of all questions.
  Chooser(Scans& scans, const CorpusHandle& corpus, Retrieval& retrieval, const MineOptions& shared,
          const Job& job)
      : scans_(scans), corpus_(corpus), retrieval_(retrieval), shared_(shared), job_(job) {}

  // Each preference has enough rows, or is complete. As for Retrieval: queries ascend, `more`
  // others follow.
  std::vector<Choice> choose(std::vector<MinedQuery> asked, bool more);
  // Makes these choices again, ascending, from twice as many survivors.
  void deepen(std::vector<Choice>& choices, const std::vector<std::size_t>& which);

 private:
  std::vector<Choice> look(std::span<const MinedQuery> asked, bool more);

  Scans& scans_;
  const CorpusHandle& corpus_;
  Retrieval& retrieval_;
  const MineOptions& shared_;
  const Job& job_;
};

}  // namespace gemmine
