#include "binding/search.h"

namespace gemmine::binding {
namespace {

// Multiplications of a search, and its scores, places, excluded rows and numbers of queries: each
// maximum takes less than a millisecond (docs/decisions/0035).
constexpr Index most_products_here = 1 << 17;
constexpr Index most_here = 1 << 12;
constexpr Index most_queries_here = 32;

// a·b <= most, also if the product is beyond 64 bits.
bool within(Index a, Index b, Index most) { return a == 0 || b <= most / a; }

}  // namespace

Place Search::place(Index k) const {
  const Index rows = count();
  const Index listed = std::ssize(exclude.rows) + std::ssize(choice.listed.rows);
  const bool small = rows > 0 && rows <= most_queries_here && listed <= most_here &&
                     within(rows, k, most_here) && within(rows, corpus.cols(), most_here) &&
                     within(rows, corpus.rows(), most_here) &&
                     within(rows * corpus.rows(), corpus.cols(), most_products_here);
  return small && queries->elements && corpus.is_ready_in_memory() ? Place::here
                                                                   : Place::job_thread;
}

Search read_search(const Napi::CallbackInfo& info, Borrowed& borrowed) {
  const auto queries = read_dense_source(info[0], borrowed);
  const Napi::Object options = read_object(info[2], "options");
  const CorpusArgument corpus(info[1], options, borrowed);
  check_columns(info.Env(), *queries, corpus.cols());
  const Index count = queries->rows->rows();
  return {.queries = queries,
          .corpus = corpus,
          .exclude = read_row_lists(options.Get("exclude"), "exclude", count, borrowed),
          .self = read_self_rows(options, count, corpus.rows(), borrowed),
          .choice = read_choice_of_rows(options, count, corpus.rows(), borrowed)};
}

Index read_k(const Napi::Object& options) {
  const auto k = read<Index>(options, "k");
  if (k < 1) refuse(options.Env(), "a positive integer", "k");
  return k;
}

CanonicalLists checked_exclusions(const Search& search, const Job& job) {
  CanonicalLists excluded(search.exclude, search.corpus.rows(), job);
  check_self_rows(search.self, search.count(), search.corpus.rows());
  return excluded;
}

CheckedChoice checked_choice(const Search& search, const Job& job) {
  return {search.choice, search.count(), search.corpus.rows(), job};
}

}  // namespace gemmine::binding
