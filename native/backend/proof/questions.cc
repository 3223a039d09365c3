#include "backend/proof/questions.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace gemmine {
namespace {

constexpr Index panel = 32;  // rows

bool is_plain(const ScanQuery& query) {
  constexpr double unbounded = std::numeric_limits<double>::infinity();
  return query.ceiling == unbounded && query.reference == unbounded && query.rejected_depth == 0 &&
         !query.filter.is_set();
}

// Where filters leave fewer rows than this on average in the panels that a scan would read, scoring
// the rows alone takes less time. A tile scores all 32 rows of a panel in a faster format, for 12
// queries in little more time than for one (bench/filtered-top-k.bench.ts, on a CPU).
Index few_in_panel(std::size_t questions) {
  return std::max<Index>(2, 16 / static_cast<Index>(questions));
}

bool asks_for_few(const ScanRequest& request, const ScanQuery& query, Index few) {
  const Index all = request.queries.corpus().rows().rows();
  Index rows = 0, panels = 0;
  for (Index first = 0; first < all; first += panel) {
    const std::uint32_t bits = filtered_rows(request, query, first);
    rows += std::popcount(bits);
    panels += bits != 0;
  }
  return rows < few * panels || rows == 0;
}

}  // namespace

bool is_plain(const ScanRequest& request) {
  const auto is_repeated = [](const ScanQuery& a, const ScanQuery& b) {
    return a.query == b.query;
  };
  return !request.counted && request.groups == Groups::off && request.classes.count == 0 &&
         std::ranges::adjacent_find(request.asked, is_repeated) == request.asked.end() &&
         std::ranges::all_of(request.asked, [](const ScanQuery& each) { return is_plain(each); });
}

Asked worth_a_scan(const ScanRequest& request, const Asked& all, Asked& few) {
  if (all.empty()) return {};
  const Index few_rows = few_in_panel(all.size());
  Asked scanned;
  bool is_few = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i]->filter != all[i - 1]->filter)
      is_few = is_filtered(request, *all[i]) && asks_for_few(request, *all[i], few_rows);
    (is_few ? few : scanned).push_back(all[i]);
  }
  return scanned;
}

}  // namespace gemmine
