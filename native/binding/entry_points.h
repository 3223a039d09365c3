#pragma once

#include <napi.h>

// The functions of the addon, as lib/native.ts declares them: each reads its arguments and starts
// one job, which fills the caller's arrays. `seconds` is the time inside the solver.
namespace gemmine::binding {

Napi::Value Fit(const Napi::CallbackInfo& info);
Napi::Value SurveyRanks(const Napi::CallbackInfo& info);
Napi::Value Transform(const Napi::CallbackInfo& info);
Napi::Value InverseTransform(const Napi::CallbackInfo& info);
Napi::Value TruncatedSvd(const Napi::CallbackInfo& info);
Napi::Value Fingerprint(const Napi::CallbackInfo& info);
Napi::Value Kmeans(const Napi::CallbackInfo& info);
Napi::Value PrepareCorpus(const Napi::CallbackInfo& info);
Napi::Value ChangeCorpus(const Napi::CallbackInfo& info);
Napi::Value CompactCorpus(const Napi::CallbackInfo& info);
Napi::Value TakePacked(const Napi::CallbackInfo& info);
Napi::Value RangeSearch(const Napi::CallbackInfo& info);
Napi::Value NearDuplicates(const Napi::CallbackInfo& info);
Napi::Value LogSumExp(const Napi::CallbackInfo& info);
Napi::Value MaxSim(const Napi::CallbackInfo& info);
Napi::Value TopK(const Napi::CallbackInfo& info);
Napi::Value TopKSync(const Napi::CallbackInfo& info);
Napi::Value SetRows(const Napi::CallbackInfo& info);
Napi::Value ReverseTopK(const Napi::CallbackInfo& info);
Napi::Value MutualNeighbours(const Napi::CallbackInfo& info);
Napi::Value Mine(const Napi::CallbackInfo& info);
Napi::Value MinePart(const Napi::CallbackInfo& info);
Napi::Value RankPart(const Napi::CallbackInfo& info);
Napi::Value MergeParts(const Napi::CallbackInfo& info);
Napi::Value TakeRows(const Napi::CallbackInfo& info);
Napi::Value CompressRows(const Napi::CallbackInfo& info);
Napi::Value Transpose(const Napi::CallbackInfo& info);
Napi::Value SortNumbers(const Napi::CallbackInfo& info);

// dropCancelled(): rejects the calls of this environment that wait for their turn and whose flags
// are raised. A running job reads its flag itself.
Napi::Value DropCancelled(const Napi::CallbackInfo& info);

// startFileThreads(): throws if the system refuses the threads; the process goes on.
Napi::Value StartFileThreads(const Napi::CallbackInfo& info);

// availableMemory(): bytes, or undefined if the system does not report it.
Napi::Value Stats(const Napi::CallbackInfo& info);
Napi::Value AvailableMemory(const Napi::CallbackInfo& info);

// planSizes(), clusteringSizes(shape), tileRows(shape): sizes that decide how much memory a
// factorization takes.
Napi::Value PlanSizes(const Napi::CallbackInfo& info);
Napi::Value ClusteringSizes(const Napi::CallbackInfo& info);
Napi::Value TileRows(const Napi::CallbackInfo& info);
Napi::Value Info(const Napi::CallbackInfo& info);
Napi::Value Devices(const Napi::CallbackInfo& info);

}  // namespace gemmine::binding
