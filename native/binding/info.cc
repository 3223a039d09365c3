// info(), devices(), stats() and availableMemory(): properties of the addon and of this machine.
#include <iterator>
#include <optional>
#include <sstream>

#include "backend/registry.h"
#include "binding/corpus_handle.h"
#include "binding/element_kinds.h"
#include "binding/entry_points.h"
#include "binding/job_threads.h"
#include "binding/to_js.h"
#include "core/available_memory.h"
#include "core/pool.h"
#include "factorization/fit.h"
#include "mining/mine.h"

namespace gemmine::binding {
namespace {

Napi::Value device_objects(Napi::Env env) {
  const std::vector<DeviceInfo> found = devices();
  Napi::Array array = Napi::Array::New(env, found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    Napi::Object device = Napi::Object::New(env);
    device["name"] = found[i].name;
    device["available"] = found[i].available;
    if (!found[i].available) device["reason"] = found[i].reason;
    array[static_cast<std::uint32_t>(i)] = device;
  }
  return array;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

std::vector<std::string> solvers_of_models() {
  std::vector<std::string> names;
  for (const auto& model : model_names)
    for (const auto& solver : solver_names)
      if (find_rule(model.second, solver.second) != nullptr)
        names.push_back(std::string(model.first) + "/" + solver.first);
  return names;
}

template <class Names>
std::vector<std::string> names_of(const Names& named) {
  std::vector<std::string> names;
  for (const auto& each : named) names.emplace_back(each.first);
  return names;
}

std::vector<std::string> element_names() {
  std::vector<std::string> names;
  for (const ElementKind& kind : element_kinds) names.emplace_back(kind.name);
  return names;
}

}  // namespace

Napi::Value Info(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const HostDescription host = describe_host();
  Napi::Object processor = Napi::Object::New(env);
  processor["model"] = host.cpu_model;
  processor["features"] = strings(env, words(host.cpu_features));
  processor["scan"] = host.cpu_scan;
  Napi::Object blas = Napi::Object::New(env);
  blas["name"] = host.blas_name;
  blas["version"] = host.blas_version;
  blas["core"] = host.blas_core;
  Napi::Object object = Napi::Object::New(env);
  object["cpu"] = processor;
  object["blas"] = blas;
  object["threads"] = number(env, host.threads);
  object["threadsReason"] = host.threads_reason;
  object["devices"] = device_objects(env);
  object["models"] = strings(env, names_of(model_names));
  object["solvers"] = strings(env, solvers_of_models());
  object["losses"] = strings(env, names_of(loss_names));
  object["starts"] = strings(env, names_of(start_names));
  object["priorities"] = strings(env, names_of(priority_names));
  object["metrics"] = strings(env, names_of(metric_names));
  object["accelerations"] = strings(env, names_of(acceleration_names));
  object["ceilings"] = strings(env, names_of(ceilings));
  object["references"] = strings(env, names_of(reference_names));
  object["samplings"] = strings(env, names_of(samplings));
  object["groupings"] = strings(env, names_of(group_names));
  object["elementTypes"] = strings(env, element_names());
  object["rules"] = strings(env, {std::begin(rule_names), std::end(rule_names)});
  return object;
}

Napi::Value Devices(const Napi::CallbackInfo& info) { return device_objects(info.Env()); }

// stats(): counts of the process at this moment
Napi::Value Stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const JobThreads::Counts counts = job_threads().counts();
  Napi::Object object = Napi::Object::New(env);
  object["waiting"] = number(env, static_cast<Index>(counts.waiting));
  object["running"] = number(env, static_cast<Index>(counts.running));
  object["jobThreads"] = number(env, counts.threads);
  object["threads"] = number(env, pool_threads());
  object["bytes"] = number(env, prepared_bytes());
  return object;
}

Napi::Value AvailableMemory(const Napi::CallbackInfo& info) {
  const std::optional<double> bytes = available_memory();
  if (!bytes) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), *bytes);
}

}  // namespace gemmine::binding
