#include "backend/proof/class_scores.h"

#include <algorithm>

namespace gemmine {

const std::vector<Scored>& ClassScores::of(std::int32_t row_class) {
  const auto [at, is_new] = known_.try_emplace(row_class);
  std::vector<Scored>& scored = at->second;
  if (!is_new) return scored;
  std::vector<std::int32_t> rows;
  const auto barred = query_.barred;
  for (const std::int32_t row : request_.classes.members(row_class))
    if (passes_filters(request_, query_, row) &&
        !std::binary_search(barred.begin(), barred.end(), row) && !forbids(request_, query_, row))
      rows.push_back(row);
  std::vector<double> scores(rows.size());
  scorer_.score(rows.data(), static_cast<Index>(rows.size()), scores.data());
  for (std::size_t i = 0; i < rows.size(); ++i) scored.push_back({scores[i], rows[i]});
  const auto best = std::min_element(scored.begin(), scored.end(), better);
  if (best != scored.end()) std::iter_swap(scored.begin(), best);
  return scored;
}

bool ClassScores::is_repeated(std::int32_t row) {
  const std::int32_t own = request_.classes.class_of(row);
  return own >= 0 && of(own).front().row != row;
}

}  // namespace gemmine
