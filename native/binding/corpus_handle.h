#pragma once

#include <napi.h>

#include <memory>

#include "binding/borrowed.h"
#include "binding/corpus.h"

// Prepared corpora as JavaScript objects: NativeCorpus of lib/native-types.ts.
namespace gemmine::binding {

// Bytes of all prepared corpora of the process whose handles are not disposed of.
Index prepared_bytes();

// `borrowed`: the caller's memory that the corpus reads. `before`: a handle of the corpus before a
// change, or undefined; its memory is from then on counted for the new one.
Napi::Object corpus_handle(Napi::Env env, std::shared_ptr<const PreparedCorpus> corpus,
                           Borrowed borrowed, const Napi::Value& before);

// The corpus of a handle; null if `value` is none. Throws Napi::Error with code
// ERR_GEMMINE_DISPOSED for a disposed handle.
std::shared_ptr<const PreparedCorpus> held_corpus(const Napi::Value& value, Borrowed& borrowed);

// openShared(token, memory): a handle, in this thread, of the corpus whose handle gave the token,
// once. `memory` is what the corpus reads of the caller's, if it does.
Napi::Value OpenShared(const Napi::CallbackInfo& info);

// The rows of a prepared corpus; null if `value` is none. Throws Napi::Error with code
// ERR_GEMMINE_DISPOSED for a disposed handle.
std::shared_ptr<const Source> held_rows(const Napi::Value& value, Borrowed& borrowed);

}  // namespace gemmine::binding
