#include "binding/row_choice.h"

#include <algorithm>
#include <bit>
#include <string>

#include "binding/entry_points.h"
#include "binding/failure.h"
#include "binding/job.h"
#include "binding/read.h"
#include "core/error.h"

namespace gemmine::binding {
namespace {

Index words_of(Index rows) { return (rows + 31) / 32; }

RowSets read_sets(const Napi::Object& options, const std::string& name, Index queries, Index corpus,
                  Borrowed& borrowed) {
  RowSets sets;
  const Napi::Value given = options.Get(name + "Sets");
  if (given.IsUndefined()) return sets;
  if (!given.IsArray()) refuse(options.Env(), "an array of bitmaps", name);
  const auto all = given.As<Napi::Array>();
  for (std::uint32_t i = 0; i < all.Length(); ++i)
    sets.words.push_back(
        read_array<std::uint32_t>(all.Get(i), name, words_of(corpus), 1, borrowed));
  if (const Napi::Value of = options.Get(name + "Of"); !of.IsUndefined())
    sets.of = read_array<std::int32_t>(of, name + "Of", queries, 1, borrowed);
  return sets;
}

void check_sets(const RowSets& sets, Index queries) {
  const auto count = static_cast<Index>(sets.words.size());
  for (Index query = 0; sets.of != nullptr && query < queries; ++query)
    if (sets.of[query] < -1 || sets.of[query] >= count)
      throw Refusal("a set of rows for each query", "allow");
}

[[noreturn]] void refuse_row(std::size_t at, std::int32_t row, Index corpus) {
  throw InvalidElement("rows[" + std::to_string(at) + "]", row,
                       "a corpus row in 0.." + std::to_string(corpus - 1));
}

void set_rows(std::span<const std::int32_t> rows, Index corpus, std::span<std::uint32_t> words) {
  std::ranges::fill(words, 0u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int32_t row = rows[i];  // once: the array may change
    if (row < 0 || row >= corpus) refuse_row(i, row, corpus);
    words[row / 32] |= 1u << (row % 32);
  }
}

double count_of(std::span<const std::uint32_t> words) {
  Index count = 0;
  for (const std::uint32_t word : words) count += std::popcount(word);
  return static_cast<double>(count);
}

}  // namespace

GivenChoice read_choice_of_rows(const Napi::Object& options, Index queries, Index corpus,
                                Borrowed& borrowed) {
  return {.allow = read_sets(options, "allow", queries, corpus, borrowed),
          .exclude = read_sets(options, "exclude", queries, corpus, borrowed),
          .listed = read_row_lists(options.Get("allow"), "allow", queries, borrowed)};
}

CheckedChoice::CheckedChoice(const GivenChoice& given, Index queries, Index corpus, const Job& job)
    : listed_(given.listed, corpus, job),
      view_{.allow = given.allow, .exclude = given.exclude, .listed = listed_.view()} {
  check_sets(given.allow, queries);
  check_sets(given.exclude, queries);
}

// setRows(rows, corpusRows, words, control): Promise<number of rows in the set>. `words` is
// written.
Napi::Value SetRows(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto rows = read_span<std::int32_t>(info[0], "rows", borrowed);
  const auto words = read_span<std::uint32_t>(info[2], "words", borrowed);
  const double corpus = info[1].ToNumber().DoubleValue();
  if (!(corpus >= 1 && corpus <= INT32_MAX)) refuse(info.Env(), "a number of rows", "corpus");
  const auto count = static_cast<Index>(corpus);
  check_length(info.Env(), "words", words.size(), words_of(count), 1);
  return run_job(
      info.Env(), info[3], std::move(borrowed),
      [=](const Job&) {
        set_rows(rows, count, words);
        return count_of(words);
      },
      [](Napi::Env env, double found) { return Napi::Number::New(env, found); });
}

}  // namespace gemmine::binding
