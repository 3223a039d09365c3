#include <napi.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <mutex>

#include "backend/registry.h"
#include "binding/corpus_handle.h"
#include "binding/entry_points.h"
#include "binding/environment.h"
#include "binding/job_threads.h"

namespace gemmine::binding {
namespace {

// Limit of the wait for running blocks at exit: most take milliseconds, an eigendecomposition may
// take minutes.
constexpr std::chrono::seconds patience{2};

// process.exit() reaches the exit handlers of the C library without running the cleanup hooks of
// the main thread's environment; the addon is never unloaded (-z nodelete). A job that does not
// stop would use objects after their destructors, so the process ends before these run.
void drain(int status) {
  if (!job_threads().stop_all(patience)) ::_exit(status);
  stop_backends();
}

void drain_at_exit() {
#ifdef __GLIBC__
  ::on_exit([](int status, void*) { drain(status); }, nullptr);
#else  // the C library does not pass the status
  std::atexit([] { drain(EXIT_FAILURE); });
#endif
}

// The build leaves out OpenBLAS's kernels for CPUs before x86-64-v2.
void check_cpu([[maybe_unused]] Napi::Env env) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.2"))
    throw Napi::Error::New(env, "this CPU lacks SSE4.2, which gemmine needs (x86-64-v2)");
#endif
}

Napi::Object load(Napi::Env env, Napi::Object exports) {
  check_cpu(env);
  static std::once_flag once;
  std::call_once(once, drain_at_exit);
  env.SetInstanceData(new Environment(env));
  exports["fit"] = Napi::Function::New<Fit>(env, "fit");
  exports["survey"] = Napi::Function::New<SurveyRanks>(env, "survey");
  exports["transform"] = Napi::Function::New<Transform>(env, "transform");
  exports["inverseTransform"] = Napi::Function::New<InverseTransform>(env, "inverseTransform");
  exports["truncatedSvd"] = Napi::Function::New<TruncatedSvd>(env, "truncatedSvd");
  exports["kmeans"] = Napi::Function::New<Kmeans>(env, "kmeans");
  exports["fingerprint"] = Napi::Function::New<Fingerprint>(env, "fingerprint");
  exports["prepareCorpus"] = Napi::Function::New<PrepareCorpus>(env, "prepareCorpus");
  exports["openShared"] = Napi::Function::New<OpenShared>(env, "openShared");
  exports["changeCorpus"] = Napi::Function::New<ChangeCorpus>(env, "changeCorpus");
  exports["compactCorpus"] = Napi::Function::New<CompactCorpus>(env, "compactCorpus");
  exports["takePacked"] = Napi::Function::New<TakePacked>(env, "takePacked");
  exports["topK"] = Napi::Function::New<TopK>(env, "topK");
  exports["topKSync"] = Napi::Function::New<TopKSync>(env, "topKSync");
  exports["setRows"] = Napi::Function::New<SetRows>(env, "setRows");
  exports["rangeSearch"] = Napi::Function::New<RangeSearch>(env, "rangeSearch");
  exports["reverseTopK"] = Napi::Function::New<ReverseTopK>(env, "reverseTopK");
  exports["mutualNeighbours"] = Napi::Function::New<MutualNeighbours>(env, "mutualNeighbours");
  exports["nearDuplicates"] = Napi::Function::New<NearDuplicates>(env, "nearDuplicates");
  exports["logSumExp"] = Napi::Function::New<LogSumExp>(env, "logSumExp");
  exports["maxSim"] = Napi::Function::New<MaxSim>(env, "maxSim");
  exports["mine"] = Napi::Function::New<Mine>(env, "mine");
  exports["minePart"] = Napi::Function::New<MinePart>(env, "minePart");
  exports["rankPart"] = Napi::Function::New<RankPart>(env, "rankPart");
  exports["mergeParts"] = Napi::Function::New<MergeParts>(env, "mergeParts");
  exports["takeRows"] = Napi::Function::New<TakeRows>(env, "takeRows");
  exports["compressRows"] = Napi::Function::New<CompressRows>(env, "compressRows");
  exports["sortNumbers"] = Napi::Function::New<SortNumbers>(env, "sortNumbers");
  exports["transpose"] = Napi::Function::New<Transpose>(env, "transpose");
  exports["dropCancelled"] = Napi::Function::New<DropCancelled>(env, "dropCancelled");
  exports["startFileThreads"] = Napi::Function::New<StartFileThreads>(env, "startFileThreads");
  exports["stats"] = Napi::Function::New<Stats>(env, "stats");
  exports["availableMemory"] = Napi::Function::New<AvailableMemory>(env, "availableMemory");
  exports["planSizes"] = Napi::Function::New<PlanSizes>(env, "planSizes");
  exports["tileRows"] = Napi::Function::New<TileRows>(env, "tileRows");
  exports["clusteringSizes"] = Napi::Function::New<ClusteringSizes>(env, "clusteringSizes");
  exports["devices"] = Napi::Function::New<Devices>(env, "devices");
  exports["info"] = Napi::Function::New<Info>(env, "info");
  return exports;
}

}  // namespace

NODE_API_MODULE(gemmine, load)

}  // namespace gemmine::binding
