#include "binding/failure.h"

#include <new>
#include <stdexcept>
#include <string>

#include "core/error.h"

namespace gemmine::binding {
namespace {

const char* code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_entry:
      return "INVALID_ENTRY";
    case ErrorCode::file:
      return "ERR_GEMMINE_FILE";
    case ErrorCode::out_of_memory:
      return "ERR_GEMMINE_OUT_OF_MEMORY";
    case ErrorCode::device_unavailable:
      return "ERR_GEMMINE_DEVICE_UNAVAILABLE";
    case ErrorCode::device_failure:
      return "ERR_GEMMINE_DEVICE_FAILURE";
    case ErrorCode::busy:
      return "ERR_GEMMINE_BUSY";
    case ErrorCode::disposed:
      return "ERR_GEMMINE_DISPOSED";
    case ErrorCode::changed:
      return "ERR_GEMMINE_CHANGED";
  }
  return "ERR_GEMMINE_DEVICE_FAILURE";
}

Napi::Object coded(Napi::Env env, const char* code, const std::string& message) {
  Napi::Object error = Napi::Error::New(env, message).Value();
  error["code"] = code;
  return error;
}

Napi::Object file_failure(Napi::Env env, const FileFailure& failure) {
  Napi::Object error = coded(env, code_name(failure.code), failure.what());
  error["path"] = failure.path;
  error["errno"] = failure.number;
  return error;
}

Napi::Object invalid_entry(Napi::Env env, const InvalidEntry& entry) {
  Napi::Object error = coded(env, code_name(entry.code), entry.what());
  error["argument"] = entry.argument;
  error["row"] = static_cast<double>(entry.row);
  error["column"] = static_cast<double>(entry.column);
  if (entry.digits.empty())
    error["value"] = entry.value;
  else
    error["value"] = entry.digits;
  error["expected"] = entry.expected;
  return error;
}

Napi::Object invalid_element(Napi::Env env, const InvalidElement& element) {
  const std::string told = "Expected " + element.expected + " for " + element.argument;
  Napi::Object error = coded(env, code_name(element.code), told);
  error["argument"] = element.argument;
  error["value"] = element.value;
  error["expected"] = element.expected;
  return error;
}

constexpr const char* no_memory = "The job needs more memory than there is";

}  // namespace

Napi::Error refusal_error(Napi::Env env, const Refusal& refusal) {
  Napi::TypeError error = Napi::TypeError::New(env, refusal.what());
  Napi::Object fields = error.Value();
  fields["code"] = "REFUSED";
  fields["argument"] = refusal.argument;
  fields["expected"] = refusal.expected;
  return error;
}

Napi::Value to_js_error(Napi::Env env, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const InvalidEntry& entry) {
    return invalid_entry(env, entry);
  } catch (const InvalidElement& element) {
    return invalid_element(env, element);
  } catch (const FileFailure& failure) {
    return file_failure(env, failure);
  } catch (const Error& error) {
    return coded(env, code_name(error.code), error.what());
  } catch (const Cancelled& cancelled) {
    return coded(env, "CANCELLED", cancelled.what());
  } catch (const std::bad_alloc&) {
    return coded(env, code_name(ErrorCode::out_of_memory), no_memory);
  } catch (const std::length_error&) {  // a vector of more elements than can be addressed
    return coded(env, code_name(ErrorCode::out_of_memory), no_memory);
  } catch (const Refusal& refusal) {
    return refusal_error(env, refusal).Value();
  } catch (const std::exception& error) {
    return Napi::Error::New(env, error.what()).Value();
  }
}

Napi::Value disposed_error(Napi::Env env) {
  return coded(env, code_name(ErrorCode::disposed), "This corpus was disposed of");
}

}  // namespace gemmine::binding
