#include "backend/cpu/ladder.h"

#include <algorithm>

#include "backend/cpu/canonical_scan.h"
#include "backend/cpu/join.h"

namespace gemmine::cpu {
namespace {

// For fewer queries the canonical scan takes less CPU time than preparing panels in another format.
constexpr Index fewest_rescanned = 16;

// For a level in the middle of the scores, a coarse format leaves so many rows within its bound
// that scoring them costs more than a scan in the finest format.
bool only_counts(const ScanRequest& request) {
  return std::ranges::all_of(
      request.asked, [](const ScanQuery& each) { return each.depth == 0 && each.draw.count == 0; });
}

bool are_few(const Asked& asked) { return static_cast<Index>(asked.size()) < fewest_rescanned; }

}  // namespace

Ladder::Ladder(const ScanRequest& request, std::vector<Ranking>& rankings, const Job& job)
    : request_(request),
      queries_(dynamic_cast<const CpuQueries&>(request.queries)),
      rankings_(rankings),
      job_(job) {}

void Ladder::answer(const Asked& all) {
  Asked few;
  const Asked scanned = worth_a_scan(request_, all, few);
  scan_canonically(request_, queries_, few, rankings_, job_);
  if (!scanned.empty()) scan_from_first(scanned);
}

void Ladder::scan_from_first(const Asked& all) {
  ScanPanels& panels = queries_.panels();
  const bool finest = queries_.finest_is_first();
  if (request_.more) queries_.keep_panels(job_);
  if (only_counts(request_) && !finest) return settle(scan_in_finest(all), true);
  if (!is_self_join(request_, job_)) return settle(scan_in(panels, all, finest), finest);
  Asked left = join_in(panels, all, all, finest);
  if (!finest && 2 * left.size() > all.size())
    return settle(join_in(queries_.finest_panels(), all, left, true), true);
  settle(std::move(left), finest);
}

void Ladder::settle(Asked left, bool in_finest) {
  if (!in_finest && !are_few(left)) left = scan_in_finest(left);
  scan_canonically(request_, queries_, left, rankings_, job_);
}

Asked Ladder::scan_in_finest(const Asked& asked) {
  return scan_in(queries_.finest_panels(), asked, true);
}

// As scan_in, for a corpus against itself and questions about the rows in `open`.
Asked Ladder::join_in(ScanPanels& panels, const Asked& all, const Asked& open, bool last) {
  Join join({.request = request_, .asked = all, .open = open}, panels, last, job_);
  const ScanEnd end = join.run();
  if (end == ScanEnd::complete) return join.rank_queries(rankings_);
  return end == ScanEnd::full || last ? scan_in(panels, open, last) : open;
}

// Returns the undecided queries.
Asked Ladder::scan_in(ScanPanels& panels, const Asked& asked, bool last) {
  if (asked.empty()) return {};
  TileScan scan(request_, panels, asked, last, job_);
  switch (scan.run()) {
    case ScanEnd::complete:
      return scan.rank(rankings_);
    case ScanEnd::full:
      return scan_in_parts(panels, asked, last, scan.progress());
    default:
      return asked;
  }
}

// `progress` is the share of the corpus that filled the memory.
Asked Ladder::scan_in_parts(ScanPanels& panels, const Asked& asked, bool last, double progress) {
  panels.keep(job_.buffer_bytes);
  const auto all = static_cast<Index>(asked.size());
  const auto size = static_cast<Index>(static_cast<double>(all) * progress * 0.75);
  const Index step = std::clamp<Index>(size, std::min<Index>(tile_queries, all / 2), all / 2);
  Asked left;
  for (Index begin = 0; begin < all; begin += step) {
    const Index end = std::min(begin + step, all);
    for (const ScanQuery* each :
         scan_in(panels, Asked(asked.begin() + begin, asked.begin() + end), last))
      left.push_back(each);
  }
  return left;
}

}  // namespace gemmine::cpu
