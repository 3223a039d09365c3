#include "backend/proof/candidates.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "backend/proof/scan_bounds.h"

namespace gemmine {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// The scan tests "score > level". A floor counts equal scores too, and a reference may.
double level_of(const ScanQuery& query, int level) {
  if (level == ceiling_level) return query.ceiling;
  const double at = level == reference_level ? query.reference : query.floor;
  const bool is_closed = level == floor_level || query.reference_row >= 0;
  if (!is_closed || std::isinf(at)) return at;
  return std::nextafter(at, -std::numeric_limits<double>::infinity());
}

// Some rows that count for a threshold may later turn out to be repeated.
Index listed_depth(const ScanQuery& query, const RowClasses& classes) {
  return classes.count == 0 || query.depth == every_row ? query.depth : 2 * query.depth + 8;
}

Index capacity_for(Index depth, Index rows) {
  return depth >= rows ? rows + 1
                       : std::min(2 * depth + 64, rows + 1);  // rows + 1: never full, even with all
}

// Integers in the same order as the floats that they represent.
std::int32_t key_of(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x);
  return bits >= 0 ? bits : bits ^ 0x7FFFFFFF;
}
float float_of(std::int32_t key) { return std::bit_cast<float>(key >= 0 ? key : key ^ 0x7FFFFFFF); }

template <class Visit>
void for_each_bit(std::uint32_t bits, Visit visit) {
  for (; bits != 0; bits &= bits - 1) visit(std::countr_zero(bits));
}

}  // namespace

// A level that is not in the question is +∞, which no bound exceeds.
ScanThresholds thresholds_of(const ScanQuery& query, const ScanBound& bound) {
  ScanThresholds thresholds{-infinity, -infinity, {}, {}};
  for (int level = 0; level < level_count; ++level) {
    double at = level_of(query, level) / bound.unit - bound.offset;
    if (level == floor_level && std::isinf(query.floor) && query.floor < 0)
      at = std::numeric_limits<double>::infinity();
    thresholds.above[level] = bounds::float_above(at + bound.error);
    thresholds.maybe[level] = bounds::float_below(at - bound.error);
  }
  if (query.floor > -std::numeric_limits<double>::infinity())
    thresholds.admissible = thresholds.maybe[floor_level];
  if (query.rejected_depth == 0) thresholds.rejected = infinity;
  return thresholds;
}

Index scan_bytes(const ScanQuery& query, Index cols, const RowClasses& classes) {
  // Near duplicates can widen the lists of all queries at the same time.
  const Index depth = query.depth == every_row ? 0 : listed_depth(query, classes);
  const Index depths = depth + query.rejected_depth;
  const Index classed =
      query.rejected_depth > 0 && classes.count > 0 ? classes.starts[classes.count] : 0;
  const Index lists = (depths == 0 ? 0 : (2 * depths + 128) << most_widenings) + 2 * classed;
  return lists * static_cast<Index>(sizeof(Candidate)) + cols * 4 +
         draw_capacity(query.draw) * static_cast<Index>(sizeof(DrawnRow)) +
         static_cast<Index>(query.barred.size()) * 4 + classed_levels * classes.count / 8 + 1024;
}

Index join_bytes(Index rows, Index cols, Index depth) {
  const Index list = (2 * (depth == every_row ? 0 : depth) + 128) << most_widenings;
  const Index values = 2 * cols * static_cast<Index>(sizeof(float));  // as queries and as corpus
  return rows * (list * static_cast<Index>(sizeof(Candidate)) + values + 512);
}

CandidateList::CandidateList(Index depth, Index rows, int widenings, float threshold, double spread)
    : capacity_(capacity_for(depth, rows)),
      threshold_(threshold),
      widenings_left_(widenings),
      depth_(depth),
      spread_(spread) {}

void CandidateList::classify(Classed mode, const RowClasses& classes,
                             const ClassCount* void_classes) {
  mode_ = mode;
  classes_ = classes;
  void_classes_ = void_classes;
}

void CandidateList::tighten() {
  if (classes_.count > 0 && mode_ == Classed::merge) merge_classes();
  if (static_cast<Index>(candidates_.size()) > depth_) {
    const float raised = bounds::float_below(lower_of_last() - spread_);
    if (raised > threshold_) threshold_ = dropped_below_ = raised;
    drop_below_threshold();
  }
}

void CandidateList::compact() {
  tighten();
  if (static_cast<Index>(candidates_.size()) <= capacity_ - capacity_ / 4) return;
  capacity_ *= 2;
  // Classed::but_one has no such limit: many rows may be the only one of their class so far, and
  // none of these counts yet.
  if (mode_ == Classed::merge && --widenings_left_ < 0) return release();
  candidates_.reserve(capacity_);  // or it would grow to twice as much
}

void CandidateList::release() {
  candidates_ = {};
  threshold_ = infinity;
}

Index CandidateList::class_rows(Index depth) const {
  if (depth == 0) return 0;
  std::vector<float> lowers;
  for (const Candidate& each : candidates_) lowers.push_back(each.lower);
  float last = -infinity;
  if (depth < static_cast<Index>(lowers.size())) {
    std::nth_element(lowers.begin(), lowers.begin() + (depth - 1), lowers.end(), std::greater<>());
    last = bounds::float_below(lowers[depth - 1] - spread_);
  }
  Index rows = 0;
  for (const Candidate& each : candidates_) {
    const std::int32_t own = classes_.class_of(each.row);
    if (own >= 0 && !(each.upper < last)) rows += classes_.starts[own + 1] - classes_.starts[own];
  }
  return rows;
}

void CandidateList::merge_classes() {
  sort_by_class();
  constexpr std::int32_t merged = -1;
  for (std::size_t i = 1; i < by_class_.size(); ++i) {
    if (by_class_[i].first != by_class_[i - 1].first) continue;
    Candidate& from = candidates_[by_class_[i - 1].second];
    Candidate& to = candidates_[by_class_[i].second];
    to.upper = std::max(to.upper, from.upper);
    to.lower = std::max(to.lower, from.lower);
    from.row = merged;
  }
  std::erase_if(candidates_, [](const Candidate& each) { return each.row == merged; });
}

void CandidateList::sort_by_class() {
  by_class_.clear();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const std::int32_t own = classes_.of[candidates_[i].row];
    if (own >= 0) by_class_.emplace_back(own, static_cast<std::int32_t>(i));
  }
  std::sort(by_class_.begin(), by_class_.end());
}

// At most one row of a class does not count. If the highest of their lower bounds is left out, the
// others are at most those of the rows that count.
void CandidateList::leave_out_uncertain(std::vector<std::int32_t>& keys) {
  const std::int32_t least = key_of(-infinity);
  sort_by_class();
  if (mode_ == Classed::merge) {
    for (const auto& [own, at] : by_class_)
      if (void_classes_->has(own)) keys[at] = least;
    return;
  }
  for (std::size_t i = 0, end = 0; i < by_class_.size(); i = end) {
    std::int32_t best = by_class_[i].second;
    for (end = i; end < by_class_.size() && by_class_[end].first == by_class_[i].first; ++end)
      if (keys[by_class_[end].second] > keys[best]) best = by_class_[end].second;
    keys[best] = least;
  }
}

// Without branches, because the processor could not predict them.
void CandidateList::drop_below_threshold() {
  std::size_t kept = 0;
  for (const Candidate each : candidates_) {
    candidates_[kept] = each;
    kept += !(each.upper < threshold_);
  }
  candidates_.resize(kept);
}

// By bisection: counting is a loop that vectorises, and needs no exact order.
float CandidateList::lower_of_last() {
  thread_local std::vector<std::int32_t> space;
  space.resize(candidates_.size());
  std::transform(candidates_.begin(), candidates_.end(), space.begin(),
                 [](const Candidate& each) { return key_of(each.lower); });
  if (classes_.count > 0) leave_out_uncertain(space);
  const std::int32_t* keys = space.data();
  const auto size = static_cast<int>(space.size());
  std::int64_t low = *std::min_element(keys, keys + size);                     // reached by all
  std::int64_t high = std::int64_t{*std::max_element(keys, keys + size)} + 1;  // reached by none
  while (high - low > 1) {
    const auto middle = static_cast<std::int32_t>((low + high) >> 1);
    int reaching = 0;
    for (int i = 0; i < size; ++i) reaching += keys[i] >= middle;
    (reaching >= depth_ ? low : high) = middle;
    if (reaching == depth_) break;
  }
  return float_of(static_cast<std::int32_t>(low));
}

void CandidateList::merge(CandidateList& other) {
  widenings_left_ = std::min(widenings_left_, other.widenings_left_);
  dropped_below_ = std::max(dropped_below_, other.dropped_below_);
  candidates_.insert(candidates_.end(), other.candidates_.begin(), other.candidates_.end());
}

Collector::Collector(const ScanRequest& request, const ScanQuery& query, const ScanBound& bound,
                     Index rows, const CollectorLimits& limits)
    : query_(&query),
      bound_(&bound),
      groups_(query.group == -1 ? Groups::off : request.groups),
      corpus_groups_(request.corpus_groups),
      filter_(request.filter),
      classes_(request.classes),
      thresholds_(thresholds_of(query, bound)),
      rows_(rows),
      most_straddlers_(static_cast<std::size_t>(limits.straddlers)),
      overflow_(!bound.usable),
      admissible_(listed_depth(query, classes_), rows, limits.widenings,
                  query.depth == 0 ? infinity : thresholds_.admissible, 2 * bound.error),
      rejected_(query.rejected_depth, rows, limits.widenings, thresholds_.rejected,
                2 * bound.error),
      drawn_(query.draw.count > 0 ? std::make_unique<DrawList>(query.draw) : nullptr) {
  if (classes_.count == 0) return;
  class_counts_.assign(classed_levels, ClassCount(classes_.count));
  admissible_.classify(Classed::merge, classes_, &class_counts_[ceiling_level]);
  rejected_.classify(Classed::but_one, classes_, nullptr);
}

// An undecided query does not need this data any more.
void Collector::give_up_if_full() {
  overflow_ = overflow_ || admissible_.overflow() || rejected_.overflow() ||
              straddlers_.size() > most_straddlers_;
  if (!overflow_) return;
  straddlers_ = {};
  admissible_.release();
  rejected_.release();
  if (drawn_) *drawn_ = DrawList(query_->draw);
}

ScanThresholds Collector::thresholds() const {
  if (overflow())
    return {infinity, infinity, {infinity, infinity, infinity}, {infinity, infinity, infinity}};
  ScanThresholds now = thresholds_;
  if (!drawn_) now.admissible = query_->depth == 0 ? infinity : admissible_.threshold();
  now.rejected = rejected_.threshold();
  return now;
}

void Collector::take_counts(const Index (&above)[level_count]) {
  std::copy(std::begin(above), std::end(above), std::begin(above_));
  counts_all_ = false;
}

std::uint32_t Collector::barred_rows(Index first) {
  const auto barred = query_->barred;
  while (next_barred_ < barred.size() && barred[next_barred_] < first) ++next_barred_;
  std::uint32_t bits = 0;
  for (std::size_t at = next_barred_; at < barred.size() && barred[at] < first + 32; ++at)
    bits |= 1u << (barred[at] - first);
  return bits;
}

std::uint32_t Collector::forbidden_rows(Index first, std::uint32_t valid) const {
  if (groups_ == Groups::off) return 0;
  std::uint32_t bits = 0;
  for_each_bit(valid, [&](int i) {
    const bool forbidden = group_forbids(groups_, query_->group, corpus_groups_[first + i]);
    bits |= static_cast<std::uint32_t>(forbidden) << i;
  });
  return bits;
}

bool Collector::take(const ScanEvent& event, const float* upper, const float* lower, Index first,
                     std::uint32_t valid) {
  const float admissible = admissible_.threshold(), rejected = rejected_.threshold();
  const std::uint32_t open =
      valid & filter_.from(first) & query_->filter.from(first) & ~barred_rows(first);
  const std::uint32_t forbidden = forbidden_rows(first, valid);
  const std::uint32_t live = open & ~forbidden;
  for (int level = 0; level < level_count; ++level)
    count_level(static_cast<Level>(level), event.above[level] & live,
                event.straddling[level] & live, first);
  const std::uint32_t below_ceiling =
      live & ~event.above[ceiling_level] & ~event.straddling[ceiling_level];
  if (query_->depth > 0)
    for_each_bit(event.admissible & below_ceiling, [&](int i) {
      if (!(upper[i] < admissible_.threshold())) admissible_.push(upper[i], lower[i], first + i);
    });
  if (drawn_) take_drawn(event, first, live);
  if (query_->rejected_depth > 0) take_rejected(event, upper, lower, first, open, forbidden);
  give_up_if_full();
  return overflow_ || admissible != admissible_.threshold() || rejected != rejected_.threshold();
}

void Collector::count_level(Level level, std::uint32_t above, std::uint32_t straddling,
                            Index first) {
  const std::uint32_t counted = counts_all_              ? above
                                : level < classed_levels ? above & shared_rows(first)
                                                         : 0;
  if (counted != 0) above_[level] += std::popcount(counted);
  if (level < classed_levels && classes_.count > 0)
    for_each_bit(above & shared_rows(first),
                 [&](int i) { class_counts_[level].add(classes_.of[first + i]); });
  for_each_bit(straddling, [&](int i) {
    straddlers_.push_back({static_cast<std::int32_t>(first + i), level});
  });
}

// The admissible row of a class is known only at the end.
void Collector::take_drawn(const ScanEvent& event, Index first, std::uint32_t live) {
  const bool floored = query_->floor > -std::numeric_limits<double>::infinity();
  const std::uint32_t certain = ~event.straddling[ceiling_level] & ~shared_rows(first) &
                                (floored ? event.above[floor_level] : ~0u);
  for_each_bit(event.admissible & live & ~event.above[ceiling_level], [&](int i) {
    drawn_->push(static_cast<std::int32_t>(first + i), 0, (certain >> i & 1u) != 0);
  });
}

void Collector::take_rejected(const ScanEvent& event, const float* upper, const float* lower,
                              Index first, std::uint32_t open, std::uint32_t forbidden) {
  const bool floored = query_->floor > -std::numeric_limits<double>::infinity();
  const std::uint32_t below_floor = floored ? ~event.above[floor_level] : 0u;
  const std::uint32_t certain =
      forbidden | event.above[ceiling_level] | (below_floor & ~event.straddling[floor_level]);
  const std::uint32_t shared = shared_rows(first);
  const std::uint32_t possible = certain | shared | event.straddling[ceiling_level] | below_floor;
  for_each_bit(event.rejected & open & possible, [&](int i) {
    const bool counts = ((certain | shared) >> i & 1u) != 0;
    rejected_.push(upper[i], counts ? lower[i] : -infinity, first + i);
  });
}

void Collector::merge(Collector& other) {
  for (int level = 0; level < level_count; ++level) above_[level] += other.above_[level];
  straddlers_.insert(straddlers_.end(), other.straddlers_.begin(), other.straddlers_.end());
  for (std::size_t i = 0; i < class_counts_.size(); ++i)
    class_counts_[i].merge(other.class_counts_[i]);
  admissible_.merge(other.admissible_);
  rejected_.merge(other.rejected_);
  if (drawn_) drawn_->merge(*other.drawn_);
  overflow_ = overflow_ || other.overflow_;
  give_up_if_full();
}

void Collector::finish() {
  if (overflow_ || classes_.count == 0) return;
  admissible_.tighten();
  rejected_.tighten();
  // For more rows the canonical scan takes less time, because it reads the corpus in order.
  constexpr Index few = 1024;
  overflow_ = admissible_.class_rows(query_->depth) > std::max(few, rows_ / 8);
  give_up_if_full();
}

ScanResult Collector::result() {
  ScanResult result{.above = {},
                    .straddlers = std::move(straddlers_),
                    .classes = std::move(class_counts_),
                    .admissible = std::move(admissible_.candidates()),
                    .rejected = std::move(rejected_.candidates()),
                    .drawn = std::move(drawn_),
                    .dropped_below = admissible_.dropped_below(),
                    .unit = bound_->unit,
                    .offset = bound_->offset + bound_->error};
  std::copy(std::begin(above_), std::end(above_), std::begin(result.above));
  return result;
}

}  // namespace gemmine
