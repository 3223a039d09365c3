#pragma once

#include <array>

#include "backend/scans.h"
#include "binding/read.h"
#include "factorization/fit.h"
#include "mining/mine.h"

// Names of lib/names.ts; info() lists them.
namespace gemmine::binding {

inline constexpr std::array<Named<Model>, 4> models{
    {{"semi-nmf", Model::semi_nmf},
     {"nmf", Model::nmf},
     {"semi-orthogonal-nmf", Model::semi_orthogonal_nmf},
     {"snmf", Model::snmf}}};
inline constexpr std::array<Named<Solver>, 3> solvers{
    {{"hals", Solver::hals}, {"mu", Solver::mu}, {"cayley", Solver::cayley}}};
inline constexpr std::array<Named<Start>, 7> starts{{{"random", Start::random},
                                                     {"kmeans", Start::kmeans},
                                                     {"svd", Start::svd},
                                                     {"nndsvd", Start::nndsvd},
                                                     {"nndsvda", Start::nndsvda},
                                                     {"nndsvdar", Start::nndsvdar},
                                                     {"custom", Start::given}}};

// Whether steps are extrapolated.
inline constexpr std::array<Named<bool>, 2> accelerations{
    {{"none", false}, {"extrapolated", true}}};

// Reads `beta` of lib/: the β of a divergence, undefined for frobenius.
inline Loss read_loss(const Napi::Object& from) {
  const auto beta = read_optional<double>(from, "beta");
  return beta ? Loss{LossKind::divergence, *beta} : frobenius_loss;
}

inline constexpr std::array<Named<Metric>, 3> metrics{
    {{"cosine", Metric::cosine}, {"dot", Metric::dot}, {"l2", Metric::l2}}};

inline constexpr std::array<Named<Reference>, 3> references{
    {{"min", Reference::min}, {"max", Reference::max}, {"mean", Reference::mean}}};
inline constexpr std::array<Named<Sampling>, 4> samplings{{{"top", Sampling::top},
                                                           {"random", Sampling::random},
                                                           {"top1-random", Sampling::top1_random},
                                                           {"band", Sampling::band}}};
inline constexpr std::array<Named<Groups>, 3> groupings{
    {{"off", Groups::off}, {"different", Groups::different}, {"same", Groups::same}}};

}  // namespace gemmine::binding
