// changeCorpus(corpus, rows, numbers, control): appends `rows` if `numbers` is undefined, removes
// the rows `numbers` if `rows` is undefined, else updates the rows `numbers` to `rows`
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "backend/registry.h"
#include "binding/corpus_handle.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"
#include "core/living_rows.h"

namespace gemmine::binding {
namespace {

using Shared = std::shared_ptr<const PreparedCorpus>;

struct Changes {
  std::shared_ptr<const Source> rows;
  std::span<const std::int32_t> numbers;
  bool appends;
};

LivingRows::Change change_of(const LivingRows& before, const Changes& changes, const Job& job) {
  if (changes.appends) return before.append(*changes.rows->rows, job);
  if (changes.rows) return before.update(changes.numbers, *changes.rows->rows, job);
  return before.remove(changes.numbers, job);
}

// `before` outlives the call.
Shared changed(const Shared& before, const Changes& changes, const Job& job) {
  const auto* living = dynamic_cast<const LivingRows*>(before->source->rows.get());
  const auto source = std::make_shared<Source>();
  source->name = before->source->name;
  source->place = before->source->place;
  source->base = living != nullptr ? before->source->base : before->source;
  std::optional<LivingRows> unchanged;
  if (living == nullptr) unchanged.emplace(*source->base->rows);
  LivingRows::Change change = change_of(living != nullptr ? *living : *unchanged, changes, job);
  source->owned_bytes = source->base->owned_bytes + change.rows->bytes();
  const auto corpus = std::make_shared<PreparedCorpus>();
  corpus->handle = scans_for(before->device)
                       .change_corpus(*change.rows,
                                      {.before = *before->handle,
                                       .pages = change.pages,
                                       .live = change.rows->live(),
                                       .live_rows = change.rows->live_rows()},
                                      job);
  source->rows = std::move(change.rows);
  corpus->source = source;
  corpus->device = before->device;
  corpus->checksums = before->checksums;
  return corpus;
}

// Rows that nobody reads, in the place of rows that gave their memory back.
class NoRows : public RowSource {
 public:
  NoRows(const RowSource& before, const std::string& name)
      : rows_(before.rows()), cols_(before.cols()) {
    argument = name.c_str();
    first = before.first;
  }
  Index rows() const override { return rows_; }
  Index cols() const override { return cols_; }
  RowBlock block(Index, Index, RowScratch&) const override { throw std::logic_error("freed rows"); }
  double entry(Index, Index) const override { throw std::logic_error("freed rows"); }

 private:
  Index rows_, cols_;
};

// The rows of a corpus without the memory of its first rows; null if that would free nothing, or is
// memory of the caller.
std::shared_ptr<Source> compacted_rows(const Source& source, const Job& job) {
  const auto& living = dynamic_cast<const LivingRows&>(*source.rows);
  const Index owned = source.base->owned_bytes;
  if (owned == 0 || living.compacted_bytes() >= owned + living.bytes()) return nullptr;
  const auto nothing = std::make_shared<Source>();
  nothing->name = source.name;
  nothing->place = source.place;
  nothing->rows = std::make_unique<NoRows>(*source.base->rows, nothing->name);
  const auto compact = std::make_shared<Source>();
  compact->name = source.name;
  compact->place = source.place;
  auto rows = living.compacted(*nothing->rows, job);
  compact->owned_bytes = rows->bytes();
  compact->rows = std::move(rows);
  compact->base = nothing;
  return compact;
}

// `before` outlives the call.
Shared compacted(const Shared& before, const Job& job) {
  const auto* living = dynamic_cast<const LivingRows*>(before->source->rows.get());
  if (living == nullptr) return before;
  std::shared_ptr<const Source> source = compacted_rows(*before->source, job);
  if (!source) source = before->source;
  const auto& rows = dynamic_cast<const LivingRows&>(*source->rows);
  const auto corpus = std::make_shared<PreparedCorpus>();
  corpus->handle = scans_for(before->device)
                       .change_corpus(rows,
                                      {.before = *before->handle,
                                       .pages = {},
                                       .live = rows.live(),
                                       .live_rows = rows.live_rows(),
                                       .compacts = true},
                                      job);
  corpus->source = source;
  corpus->device = before->device;
  corpus->checksums = before->checksums;
  return corpus;
}

}  // namespace

// compactCorpus(corpus, control)
Napi::Value CompactCorpus(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto held = std::make_shared<Borrowed>();  // outlives the job, in the handle
  const Shared before = held_corpus(info[0], *held);
  if (!before) refuse(info.Env(), "a prepared corpus", "corpus");
  borrowed.keep(*held);
  const auto old =
      std::make_shared<const Napi::ObjectReference>(Napi::Persistent(info[0].As<Napi::Object>()));
  return run_job(
      info.Env(), info[1], std::move(borrowed),
      [before](const Job& job) { return compacted(before, job); },
      [held, old](Napi::Env env, Shared& corpus) {
        return corpus_handle(env, std::move(corpus), std::move(*held), old->Value());
      });
}

Napi::Value ChangeCorpus(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto held = std::make_shared<Borrowed>();  // outlives the job, in the handle
  const Shared before = held_corpus(info[0], *held);
  if (!before) refuse(info.Env(), "a prepared corpus", "corpus");
  Changes changes{.rows = nullptr, .numbers = {}, .appends = info[2].IsUndefined()};
  if (!info[1].IsUndefined()) {
    changes.rows = read_dense_source(info[1], borrowed);
    check_columns(info.Env(), *changes.rows, before->source->rows->cols());
  }
  if (!changes.appends) {
    changes.numbers = read_span<std::int32_t>(info[2], "rows", borrowed);
    if (changes.rows)
      check_length(info.Env(), "rows", changes.numbers.size(), changes.rows->rows->rows(), 1);
  } else if (!changes.rows) {
    refuse(info.Env(), "rows or their numbers", "rows");
  }
  borrowed.keep(*held);
  const auto old =
      std::make_shared<const Napi::ObjectReference>(Napi::Persistent(info[0].As<Napi::Object>()));
  return run_job(
      info.Env(), info[3], std::move(borrowed),
      [before, changes](const Job& job) { return changed(before, changes, job); },
      [held, old](Napi::Env env, Shared& corpus) {
        return corpus_handle(env, std::move(corpus), std::move(*held), old->Value());
      });
}

}  // namespace gemmine::binding
