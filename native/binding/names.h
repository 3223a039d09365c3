#pragma once

#include <array>

#include "binding/read.h"
#include "factorization/fit.h"

// Names in lib/ of models, solvers and their options; info() lists them.
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

// Reads `beta` of lib/: the β of a divergence, undefined for frobenius.
inline Loss read_loss(const Napi::Object& from) {
  const auto beta = read_optional<double>(from, "beta");
  return beta ? Loss{LossKind::divergence, *beta} : frobenius_loss;
}

}  // namespace gemmine::binding
