#include "mining/hub_cap.h"

#include <algorithm>

namespace gemmine {

void HubCap::offer(std::size_t query, const std::vector<Negative>& rows) {
  queries_[query].rows = rows;
  waiting_.push_back(query);
}

void HubCap::settle(const Job& job) {
  while (!waiting_.empty()) {
    job.cancellation.check();
    const std::size_t query = waiting_.back();
    waiting_.pop_back();
    while (!is_full(query) && end_of(query) < queries_[query].rows.size()) ask(query);
  }
}

// The query takes the next row of its list; if the row then has too many, its last holder loses it.
void HubCap::ask(std::size_t query) {
  Query& asking = queries_[query];
  const std::size_t place = asking.holds.size();
  std::vector<Holder>& heap = holders_[asking.rows[place].row];
  heap.push_back({asking.rows[place].score, query, place});
  std::push_heap(heap.begin(), heap.end(), before);
  asking.holds.push_back(true);
  ++asking.held;
  if (heap.size() <= cap_) return;
  std::pop_heap(heap.begin(), heap.end(), before);
  const Holder last = heap.back();
  heap.pop_back();
  queries_[last.query].holds[last.place] = false;
  --queries_[last.query].held;
  if (last.query != query) waiting_.push_back(last.query);
}

}  // namespace gemmine
