#include "binding/corpus.h"

#include <utility>

#include "backend/registry.h"
#include "binding/corpus_handle.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/packed_rows.h"

namespace gemmine::binding {
namespace {

Metric read_metric(const Napi::Object& options) {
  return read_choice(options, "metric", metric_names);
}

using Shared = std::shared_ptr<const PreparedCorpus>;

// Options of a corpus that is prepared for several calls.
struct Keeping {
  bool own;     // copy the rows, which are in borrowed memory
  bool verify;  // check that rows which are not copied do not change
};

Keeping read_keeping(const Napi::Object& options, const Source& source) {
  const bool own = read<bool>(options, "own");
  if (own && !source.elements) refuse(options.Env(), "a matrix in memory", source.name);
  return {.own = own, .verify = !own && read<bool>(options, "verify")};
}

Shared prepare(const std::string& device, std::shared_ptr<const Source> source, Metric metric,
               const std::optional<Keeping>& keeping, const std::optional<PackedRows>& packed,
               const Job& job) {
  Scans& scans = scans_for(device);
  OwnedRows* rows = nullptr;
  if (keeping && keeping->own) {
    const std::shared_ptr<Source> copy = owned(*source);
    rows = static_cast<OwnedRows*>(copy->rows.get());
    source = copy;
  }
  const auto corpus = std::make_shared<PreparedCorpus>();
  if (keeping && keeping->verify)
    corpus->checksums = std::make_shared<RowChecksums>(*source, scans, job);
  if (packed) packed->check(job);
  corpus->handle =
      packed ? scans.unpack_corpus(*source->rows, metric, packed->packing(), packed->bytes(), job)
             : scans.prepare_corpus(*source->rows, metric, keeping.has_value(), job);
  if (rows != nullptr) rows->detach();  // jobs may take the rows again, as queries
  corpus->source = std::move(source);
  corpus->device = device;
  return corpus;
}

}  // namespace

Index PreparedCorpus::bytes() const { return handle->bytes() + source->owned_bytes; }

void PreparedCorpus::verify(const Job& job) const {
  if (!checksums) return;
  checksums->check(source->base ? *source->base : *source, scans_for(device), job);
}

namespace {

// Runs and then verifies. An entry that the run refuses may have changed since it was prepared, and
// the change is then the error.
template <class Run>
void verified(const PreparedCorpus& corpus, const Job& job, Run run) {
  try {
    run();
  } catch (const InvalidEntry&) {
    corpus.verify(job);
    throw;
  }
  corpus.verify(job);
}

}  // namespace

CorpusArgument::CorpusArgument(const Napi::Value& value, const Napi::Object& options,
                               Borrowed& borrowed)
    : device_(read<std::string>(options, "device")), metric_(read_metric(options)) {
  prepared_ = held_corpus(value, borrowed);
  if (!prepared_) {
    source_ = read_dense_source(value, borrowed);
    return;
  }
  if (prepared_->device != device_ || prepared_->handle->metric() != metric_)
    refuse(value.Env(), "a corpus prepared for the device and the metric", "corpus");
  source_ = prepared_->source;
}

bool CorpusArgument::is_ready_in_memory() const {
  const bool in_memory = source_->elements || source_->owned_bytes > 0;
  return prepared_ && device_ == "cpu" && !prepared_->checksums && in_memory;
}

Shared CorpusArgument::prepared(const Job& job) const {
  return prepared_ ? prepared_ : prepare(device_, source_, metric_, {}, {}, job);
}

double CorpusArgument::scan(
    const Job& job,
    const std::function<void(Scans& scans, const CorpusHandle& corpus)>& look) const {
  return seconds_of([&] {
    const Shared corpus = prepared(job);
    verified(*corpus, job, [&] { look(scans_for(device_), *corpus->handle); });
  });
}

RowFilter CorpusArgument::live() const {
  return prepared_ ? prepared_->handle->live() : RowFilter{};
}

Index CorpusArgument::zero_rows(Index counted) const {
  return prepared_ ? prepared_->handle->zero_rows() : counted;
}

void CorpusArgument::check_live(const std::string& name, const RowLists& lists,
                                Index queries) const {
  const RowFilter live = this->live();
  if (!live.is_set() || lists.indptr == nullptr) return;
  for (std::int32_t i = 0; i < lists.indptr[queries]; ++i)
    if (!live.holds(lists.indices[i]))
      throw InvalidElement("a row of " + name, lists.indices[i], "a row that was not removed");
}

double CorpusArgument::look_at_rows(
    const Job& job, const std::function<void(Scans& scans, const RowSource& rows)>& look) const {
  return seconds_of([&] {
    const auto run = [&] { look(scans_for(device_), *source_->rows); };
    if (prepared_)
      verified(*prepared_, job, run);
    else
      run();
  });
}

// prepareCorpus(corpus, options, control)
Napi::Value PrepareCorpus(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const std::shared_ptr<const Source> source = read_dense_source(info[0], borrowed);
  const Napi::Object options = read_object(info[1], "options");
  const Keeping keeping = read_keeping(options, *source);
  const auto held = std::make_shared<Borrowed>();  // outlives the job, in the handle
  if (!keeping.own) held->keep(borrowed);
  const auto packed = read_packed(options, source->rows->rows(), source->rows->cols(), borrowed);
  return run_job(
      info.Env(), info[2], std::move(borrowed),
      [source, keeping, packed, device = read<std::string>(options, "device"),
       metric = read_metric(options)](const Job& job) {
        return prepare(device, source, metric, keeping, packed, job);
      },
      [held](Napi::Env env, Shared& corpus) {
        return corpus_handle(env, std::move(corpus), std::move(*held), env.Undefined());
      });
}

}  // namespace gemmine::binding
