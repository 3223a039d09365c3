#include <deque>

#include "backend/cuda/host_path.h"

// Passes that run on the CPU, and what is asked of their sums.
namespace gemmine::cuda {
namespace {

Sums& host_sums(Passes& host, const Group& group) {
  CudaSums& own = cuda_sums(group.sums);
  if (own.of_host == nullptr) own.of_host = host.make_sums(own.d, own.k);
  if (group.accumulate) own.is_on_host = true;
  return *own.of_host;
}
const Sums& of_host(const Sums& sums) {
  expect(cuda_sums(sums).is_on_host, "sums of a pass of the CPU");
  return *cuda_sums(sums).of_host;
}

// A group whose factors are copies in host memory.
class HostGroup {
 public:
  HostGroup(const Device& device, Passes& host, const Group& group)
      : original_(group), Ht_(device, host, group.Ht), W_(device, host, group.W), there_(group) {
    there_.Ht = Ht_.view();
    there_.W = W_.view();
    if (group.extrapolated) {
      previous_.emplace(device, host, group.extrapolated->previous);
      there_.extrapolated->previous = previous_->view();
    }
    if (group.addend) {
      numerators_.emplace(device, host, group.addend->numerators);
      diagonal_.emplace(device, host, group.addend->diagonal);
      there_.addend->numerators = numerators_->view();
      there_.addend->diagonal = diagonal_->view();
    }
  }

  Group group(Sums& sums) const {
    return {.Ht = there_.Ht,
            .normal = there_.normal,
            .step = there_.step,
            .W = there_.W,
            .measure = there_.measure,
            .accumulate = there_.accumulate,
            .sums = sums,
            .mask = there_.mask,
            .noise = there_.noise,
            .extrapolated = there_.extrapolated,
            .addend = there_.addend,
            .exponent = there_.exponent,
            .own_normals = there_.own_normals,
            .retained = there_.retained};
  }

  void store() const {
    if (original_.step || original_.extrapolated) W_.store(original_.W);
    if (previous_) previous_->store(original_.extrapolated->previous);
    const Sums& from = *cuda_sums(original_.sums).of_host;
    Sums& to = original_.sums;
    if (original_.accumulate) to.gram = from.gram;
    to.incoming_gram = from.incoming_gram;
    to.incoming_product = from.incoming_product;
    to.incoming_residual = from.incoming_residual;
    to.incoming_divergence = from.incoming_divergence;
  }

 private:
  const Group& original_;
  OnHost Ht_, W_;
  std::optional<OnHost> previous_, numerators_, diagonal_;
  Group there_;
};

}  // namespace

std::unique_ptr<Sums> HostPath::make_sums(Index d, Index k) {
  return std::make_unique<CudaSums>(device_, d, k);
}

void HostPath::pass(const Pass& pass, const Job& job) {
  std::deque<HostGroup> copies;
  std::vector<Group> groups;
  for (const Group& group : pass.groups) {
    copies.emplace_back(*device_, host_, group);
    groups.push_back(copies.back().group(host_sums(host_, group)));
  }
  host_.pass({.X = pass.X,
              .exponent = pass.exponent,
              .groups = groups,
              .loss = pass.loss,
              .row_weights = pass.row_weights,
              .rows = pass.rows},
             job);
  for (const HostGroup& each : copies) each.store();
}

void HostPath::sum_over_ranks(Sums& sums, Communicator& ranks) {
  host_.sum_over_ranks(*cuda_sums(sums).of_host, ranks);
}

void HostPath::improve(const Step& step, const Sums& sums, const NormalMatrix& normal,
                       std::span<const double> pull, BackendView<float> Ht, const Job& job) {
  change(Ht, [&](BackendView<float> view) {
    host_.improve(step, of_host(sums), normal, pull, view, job);
  });
}
void HostPath::improve_by_ratio(const Step& step, const Sums& sums, BackendView<float> Ht,
                                const Job& job) {
  change(Ht,
         [&](BackendView<float> view) { host_.improve_by_ratio(step, of_host(sums), view, job); });
}
void HostPath::improve_by_own_normals(const Step& step, const Sums& sums, double pull,
                                      BackendView<float> Ht, const Job& job) {
  change(Ht, [&](BackendView<float> view) {
    host_.improve_by_own_normals(step, of_host(sums), pull, view, job);
  });
}
double HostPath::own_curvature(const Sums& sums, BackendView<const float> Ht, const Job& job) {
  return host_.own_curvature(of_host(sums), on_host(Ht).view(), job);
}
double HostPath::inner(const Sums& sums, BackendView<const float> Ht, const Job& job) {
  return host_.inner(of_host(sums), on_host(Ht).view(), job);
}
std::vector<double> HostPath::cross(const Sums& sums) { return host_.cross(of_host(sums)); }

}  // namespace gemmine::cuda
