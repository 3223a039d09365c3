#include "backend/cpu/column_top.h"

#include <algorithm>

#include "backend/cpu/join.h"
#include "backend/cpu/ladder.h"
#include "backend/reverse.h"

namespace gemmine::cpu {
namespace {

constexpr Index chunk_unit = 96;  // rows: whole tiles and whole panels
static_assert(chunk_unit % panel_rows == 0 && chunk_unit % tile_queries == 0);

// The size of parts that are about equal and have at most `most` rows each.
Index part_of(Index rows, Index most) {
  if (most >= rows) return rows;
  if (most < chunk_unit) return most;
  const Index largest = most / chunk_unit * chunk_unit;
  const Index parts = (rows + largest - 1) / largest;
  return ((rows + parts - 1) / parts + chunk_unit - 1) / chunk_unit * chunk_unit;
}

// Rows of each side with lists in memory at the same time.
struct Chunks {
  Chunks(const ScanRequest& request, const ScanRequest& reverse, Index memory) {
    const auto all = static_cast<Index>(request.asked.size());
    const auto all_rows = static_cast<Index>(reverse.asked.size());
    Index depth = 1;
    for (const ScanRequest* each : {&request, &reverse})
      for (const ScanQuery& query : each->asked) depth = std::max(depth, query.depth);
    if (depth > std::max(all, all_rows)) return;
    const Index fitting = memory / join_bytes(1, request.queries.rows().cols(), depth);
    queries = part_of(all, std::max(fitting / 2, fitting - all_rows));
    rows = part_of(all_rows, fitting - queries);
  }

  Index queries = 0;
  Index rows = 0;
};

enum class State : char { asked, given_up, answered };

// One side of the question, and the state of its answers.
struct Side {
  explicit Side(const ScanRequest& whole)
      : request(whole), rankings(whole.asked.size()), states(whole.asked.size()) {
    for (Index i = 0; i < size(); ++i)
      if (whole.asked[i].depth == 0) states[i] = State::answered;
  }

  Index size() const { return static_cast<Index>(states.size()); }
  Asked given_up() const {
    Asked left;
    for (Index i = 0; i < size(); ++i)
      if (states[i] == State::given_up) left.push_back(&request.asked[i]);
    return left;
  }
  void change(State from, State to) { std::ranges::replace(states, from, to); }
  void give_up(Index i) {
    states[i] = State::given_up;
    rankings[i] = {};
  }

  const ScanRequest& request;
  std::vector<Ranking> rankings;
  std::vector<State> states;
};

// Some rows of one side, with questions for the rows that can still be among their best.
class Chunk {
 public:
  Chunk(Side& side, Index begin, Index most)
      : side_(side),
        begin_(begin),
        queries_(side.request.asked.begin() + begin,
                 side.request.asked.begin() + std::min(begin + most, side.size())),
        request_(side.request),
        found_(queries_.size()) {
    request_.asked = queries_;
    for (std::size_t i = 0; i < queries_.size(); ++i) {
      ScanQuery& query = queries_[i];
      const std::vector<Scored>& best = side.rankings[begin + i].admissible;
      if (query.depth > 0 && static_cast<Index>(best.size()) == query.depth)
        query.floor = std::max(query.floor, best.back().score);
      asked_.push_back(&query);
      if (side.states[begin + i] == State::asked) open_.push_back(&query);
    }
  }
  Chunk(const Chunk&) = delete;

  JoinQuestion question() const { return {.request = request_, .asked = asked_, .open = open_}; }
  std::vector<Ranking>& found() { return found_; }

  // Adds the rankings to the side's answers; the rows in `left` are undecided.
  void settle(const Asked& left) {
    for (const ScanQuery* query : left) side_.give_up(begin_ + (query - queries_.data()));
    for (const ScanQuery* query : open_) {
      const Index i = query - queries_.data();
      if (side_.states[begin_ + i] != State::asked) continue;
      std::vector<Scored>& best = side_.rankings[begin_ + i].admissible;
      best.insert(best.end(), found_[i].admissible.begin(), found_[i].admissible.end());
      std::ranges::sort(best, better);
      if (static_cast<Index>(best.size()) > query->depth) best.resize(query->depth);
    }
  }

 private:
  Side& side_;
  Index begin_;
  std::vector<ScanQuery> queries_;
  ScanRequest request_;
  Asked asked_, open_;
  std::vector<Ranking> found_;
};

class ColumnTop {
 public:
  ColumnTop(const ScanRequest& request, const ScanRequest& reverse, const Job& job)
      : job_(job),
        queries_(request),
        rows_(reverse),
        chunks_(request, reverse, largest_join(job)) {}

  BothWays run() {
    const auto& queries = dynamic_cast<const CpuQueries&>(queries_.request.queries);
    const bool finest = queries.finest_is_first();
    if (chunks_.queries < queries_.size()) queries.keep_panels(job_);
    bool in_finest = join_in(queries.panels(), finest) && finest;
    const std::size_t left = queries_.given_up().size() + rows_.given_up().size();
    if (!finest && 2 * static_cast<Index>(left) > queries_.size() + rows_.size())
      in_finest = join_in(queries.finest_panels(), true);
    Ladder(queries_.request, queries_.rankings, job_).settle(queries_.given_up(), in_finest);
    const Job reverse = in_reverse(job_);
    Ladder(rows_.request, rows_.rankings, reverse).settle(rows_.given_up(), in_finest);
    return {.queries = std::move(queries_.rankings), .rows = std::move(rows_.rankings)};
  }

 private:
  // Asks again about the rows that were given up. Returns false if all of them are given up once
  // more.
  bool join_in(ScanPanels& panels, bool last) {
    for (Side* side : {&queries_, &rows_}) side->change(State::given_up, State::asked);
    const bool complete = join_all(panels, last);
    for (Side* side : {&queries_, &rows_}) {
      if (complete) {
        side->change(State::asked, State::answered);
        continue;
      }
      for (Index i = 0; i < side->size(); ++i)
        if (side->states[i] == State::asked) side->give_up(i);
    }
    return complete;
  }

  bool join_all(ScanPanels& panels, bool last) {
    for (Index query = 0; query < queries_.size(); query += chunks_.queries)
      for (Index row = 0; row < rows_.size(); row += chunks_.rows) {
        Chunk queries(queries_, query, chunks_.queries), rows(rows_, row, chunks_.rows);
        Join join(queries.question(), rows.question(), panels, last, job_);
        if (join.run() != ScanEnd::complete) return false;
        queries.settle(join.rank_queries(queries.found()));
        rows.settle(join.rank_rows(rows.found()));
      }
    return true;
  }

  const Job& job_;
  Side queries_, rows_;
  const Chunks chunks_;
};

bool asks_all(const ScanRequest& request) {
  return static_cast<Index>(request.asked.size()) == request.queries.rows().rows() &&
         is_plain(request);
}

}  // namespace

bool is_join(const ScanRequest& request, const ScanRequest& reverse, const Job& job) {
  if (!asks_all(request) || !asks_all(reverse) || reverse.filter.is_set()) return false;
  const Chunks chunks(request, reverse, largest_join(job));
  return std::min(chunks.queries, chunks.rows) >= fewest_joined;
}

BothWays column_top(const ScanRequest& request, const ScanRequest& reverse, const Job& job) {
  const LiveRequest live(request);
  return ColumnTop(live.get(), reverse, job).run();
}

}  // namespace gemmine::cpu
