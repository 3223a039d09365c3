#include "binding/corpus.h"

#include <atomic>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "backend/registry.h"
#include "binding/entry_points.h"
#include "binding/failure.h"
#include "binding/job.h"

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
               const std::optional<Keeping>& keeping, const Job& job) {
  Scans& scans = scans_for(device);
  OwnedRows* rows = nullptr;
  if (keeping && keeping->own) {
    const std::shared_ptr<Source> copy = owned(*source);
    rows = static_cast<OwnedRows*>(copy->rows.get());
    source = copy;
  }
  const auto corpus = std::make_shared<PreparedCorpus>();
  if (keeping && keeping->verify) corpus->checksums.emplace(*source, scans, job);
  corpus->handle = scans.prepare_corpus(*source->rows, metric, keeping.has_value(), job);
  if (rows != nullptr) rows->detach();  // jobs may take the rows again, as queries
  corpus->source = std::move(source);
  corpus->device = device;
  return corpus;
}

// Freeing a gigabyte takes tens of milliseconds, and memory of a GPU waits for its work, which
// would block the JavaScript thread.
constexpr Index most_freed_in_place = Index{32} << 20;

void free_corpus(Shared corpus) {
  if (corpus->device == "cpu" && corpus->bytes() <= most_freed_in_place) return;
  try {
    std::thread([corpus = std::move(corpus)]() mutable { corpus.reset(); }).detach();
  } catch (const std::system_error&) {
    // No thread could start: the corpus was freed with the closure.
  }
}

std::atomic<Index> held_bytes = 0;

// Data of the JavaScript handle. The finalizer frees it if dispose() was never called.
struct Held {
  Shared corpus;  // null after dispose()
  Borrowed borrowed;

  Index bytes() const { return corpus ? corpus->bytes() : 0; }

  void dispose(Napi::Env env) {
    if (!corpus) return;
    Napi::MemoryManagement::AdjustExternalMemory(env, -bytes());
    held_bytes -= bytes();
    free_corpus(std::move(corpus));
    borrowed.release();
  }
};

constexpr napi_type_tag handle_tag = {0x6d1f2c7ab09e4d35, 0x9b3e51c8f7a64210};

// Returns null if `value` is not a handle of a prepared corpus.
Held* held_by(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&handle_tag)) return nullptr;
  void* held = nullptr;
  napi_unwrap(value.Env(), value, &held);
  return static_cast<Held*>(held);
}

Held& held_by_this(const Napi::CallbackInfo& info) {
  Held* held = held_by(info.This());
  if (held == nullptr) refuse(info.Env(), "a prepared corpus", "this");
  return *held;
}

Napi::Value GetBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(held_by_this(info).bytes()));
}

void Dispose(const Napi::CallbackInfo& info) { held_by_this(info).dispose(info.Env()); }

void finalize(napi_env env, void* data, void*) {
  const std::unique_ptr<Held> held(static_cast<Held*>(data));
  held->dispose(env);
}

Napi::Object handle_object(Napi::Env env, std::unique_ptr<Held> held) {
  Napi::Object object = Napi::Object::New(env);
  object.DefineProperties({
      Napi::PropertyDescriptor::Accessor<GetBytes>("bytes", napi_enumerable),
      Napi::PropertyDescriptor::Function(env, object, "dispose", Dispose),
  });
  const Index bytes = held->bytes();
  if (napi_wrap(env, object, held.get(), finalize, nullptr, nullptr) != napi_ok)
    throw Napi::Error::New(env);
  held.release();
  object.TypeTag(&handle_tag);
  Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
  held_bytes += bytes;
  return object;
}

}  // namespace

Index prepared_bytes() { return held_bytes; }

Index PreparedCorpus::bytes() const { return handle->bytes() + source->owned_bytes; }

void PreparedCorpus::verify(const Job& job) const {
  if (checksums) checksums->check(*source, scans_for(device), job);
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

std::shared_ptr<const Source> held_rows(const Napi::Value& value, Borrowed& borrowed) {
  const Held* held = held_by(value);
  if (held == nullptr) return nullptr;
  if (!held->corpus) throw Napi::Error(value.Env(), disposed_error(value.Env()));
  borrowed.keep(held->borrowed);
  return held->corpus->source;
}

CorpusArgument::CorpusArgument(const Napi::Value& value, const Napi::Object& options,
                               Borrowed& borrowed)
    : device_(read<std::string>(options, "device")), metric_(read_metric(options)) {
  const Held* held = held_by(value);
  if (held == nullptr) {
    source_ = read_dense_source(value, borrowed);
    return;
  }
  if (!held->corpus) throw Napi::Error(value.Env(), disposed_error(value.Env()));
  if (held->corpus->device != device_ || held->corpus->handle->metric() != metric_)
    refuse(value.Env(), "a corpus prepared for the device and the metric", "corpus");
  prepared_ = held->corpus;
  source_ = prepared_->source;
  borrowed.keep(held->borrowed);
}

bool CorpusArgument::is_ready_in_memory() const {
  const bool in_memory = source_->elements || source_->owned_bytes > 0;
  return prepared_ && device_ == "cpu" && !prepared_->checksums && in_memory;
}

Shared CorpusArgument::prepared(const Job& job) const {
  return prepared_ ? prepared_ : prepare(device_, source_, metric_, std::nullopt, job);
}

double CorpusArgument::scan(
    const Job& job,
    const std::function<void(Scans& scans, const CorpusHandle& corpus)>& look) const {
  return seconds_of([&] {
    const Shared corpus = prepared(job);
    verified(*corpus, job, [&] { look(scans_for(device_), *corpus->handle); });
  });
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
  return run_job(
      info.Env(), info[2], std::move(borrowed),
      [source, keeping, device = read<std::string>(options, "device"),
       metric = read_metric(options)](const Job& job) {
        return prepare(device, source, metric, keeping, job);
      },
      [held](Napi::Env env, Shared& corpus) {
        auto all = std::make_unique<Held>();
        all->corpus = std::move(corpus);
        all->borrowed = std::move(*held);
        return handle_object(env, std::move(all));
      });
}

}  // namespace gemmine::binding
