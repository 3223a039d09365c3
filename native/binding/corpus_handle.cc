#include "binding/corpus_handle.h"

#include <atomic>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "binding/failure.h"
#include "binding/shared_corpora.h"
#include "binding/to_js.h"
#include "core/living_rows.h"

namespace gemmine::binding {
namespace {

using Shared = std::shared_ptr<const PreparedCorpus>;

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

  Index counted = 0;  // bytes that V8 and stats() know of

  Index bytes() const { return corpus ? corpus->bytes() : 0; }

  // Bytes of `before` are taken over in one step: V8 collects garbage after a large increase.
  void count(Napi::Env env, Index bytes, Held* before = nullptr) {
    const Index known = before != nullptr ? std::exchange(before->counted, 0) : 0;
    const Index more = bytes - counted - known;
    counted = bytes;
    held_bytes += more;
    Napi::MemoryManagement::AdjustExternalMemory(env, more);
  }

  void dispose(Napi::Env env) {
    if (!corpus) return;
    count(env, 0);
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

// A copy, because the corpus may be freed while JavaScript has it.
Napi::Value Live(const Napi::CallbackInfo& info) {
  const Held& held = held_by_this(info);
  const auto* rows =
      held.corpus ? dynamic_cast<const LivingRows*>(held.corpus->source->rows.get()) : nullptr;
  if (rows == nullptr || rows->live_rows() == rows->rows()) return info.Env().Undefined();
  return array_of<std::uint32_t>(info.Env(), rows->live().words());
}

// Undefined if nothing packed is kept, or is of use elsewhere.
Napi::Value GetPacking(const Napi::CallbackInfo& info) {
  const Held& held = held_by_this(info);
  const auto packing = held.corpus ? held.corpus->handle->packing() : std::nullopt;
  if (!packing) return info.Env().Undefined();
  Napi::Object object = Napi::Object::New(info.Env());
  object["format"] = std::string(packing->format);
  object["centre"] = array_of(info.Env(), packing->centre);
  object["exponent"] = packing->exponent;
  object["pageBytes"] = static_cast<double>(packing->page_bytes);
  return object;
}

SharedCorpora& shared_corpora() {
  static auto* corpora = new SharedCorpora;  // threads may use it while the process ends
  return *corpora;
}

Napi::Value Share(const Napi::CallbackInfo& info) {
  const Held& held = held_by_this(info);
  if (!held.corpus) throw Napi::Error(info.Env(), disposed_error(info.Env()));
  return Napi::BigInt::New(info.Env(), shared_corpora().add(held.corpus));
}

void Dispose(const Napi::CallbackInfo& info) { held_by_this(info).dispose(info.Env()); }

void finalize(napi_env env, void* data, void*) {
  const std::unique_ptr<Held> held(static_cast<Held*>(data));
  held->dispose(env);
}

}  // namespace

Index prepared_bytes() { return held_bytes; }

Napi::Object corpus_handle(Napi::Env env, Shared corpus, Borrowed borrowed,
                           const Napi::Value& before) {
  auto held = std::make_unique<Held>();
  held->corpus = std::move(corpus);
  held->borrowed = std::move(borrowed);
  Napi::Object object = Napi::Object::New(env);
  object.DefineProperties({
      Napi::PropertyDescriptor::Accessor<GetBytes>("bytes", napi_enumerable),
      Napi::PropertyDescriptor::Function(env, object, "live", Live),
      Napi::PropertyDescriptor::Function(env, object, "packing", GetPacking),
      Napi::PropertyDescriptor::Function(env, object, "share", Share),
      Napi::PropertyDescriptor::Function(env, object, "dispose", Dispose),
  });
  if (napi_wrap(env, object, held.get(), finalize, nullptr, nullptr) != napi_ok)
    throw Napi::Error::New(env);
  Held& wrapped = *held.release();
  object.TypeTag(&handle_tag);
  wrapped.count(env, wrapped.bytes(), held_by(before));
  return object;
}

namespace {

// Whether a typed array is the memory that a corpus borrows.
bool is_memory_of(const Source& source, const Napi::Value& value) {
  if (!value.IsTypedArray()) return false;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, nullptr, nullptr, &data, nullptr, nullptr) !=
      napi_ok)
    return false;
  const DenseElements& lie = *source.elements;
  const Index last = lie.rows == 0 ? 0 : (lie.rows - 1) * lie.stride + lie.cols;
  const auto bytes = static_cast<Index>(value.As<Napi::TypedArray>().ByteLength());
  return data == lie.data && bytes >= last * size_of(lie.type);
}

}  // namespace

// Undefined: the token is of no use.
Napi::Value OpenShared(const Napi::CallbackInfo& info) {
  if (!info[0].IsBigInt()) refuse(info.Env(), "a bigint", "token");
  bool lossless = false;
  Shared corpus = shared_corpora().take(info[0].As<Napi::BigInt>().Uint64Value(&lossless));
  if (!corpus) return info.Env().Undefined();
  Borrowed borrowed;
  const Source& first = corpus->source->base ? *corpus->source->base : *corpus->source;
  if (first.elements) {
    if (!is_memory_of(first, info[1])) refuse(info.Env(), "what the corpus reads", "memory");
    borrowed.keep(info[1].As<Napi::Object>());
  }
  return corpus_handle(info.Env(), std::move(corpus), std::move(borrowed), info.Env().Undefined());
}

Shared held_corpus(const Napi::Value& value, Borrowed& borrowed) {
  const Held* held = held_by(value);
  if (held == nullptr) return nullptr;
  if (!held->corpus) throw Napi::Error(value.Env(), disposed_error(value.Env()));
  borrowed.keep(held->borrowed);
  return held->corpus;
}

std::shared_ptr<const Source> held_rows(const Napi::Value& value, Borrowed& borrowed) {
  const Shared corpus = held_corpus(value, borrowed);
  return corpus ? corpus->source : nullptr;
}

}  // namespace gemmine::binding
