// A run that is stopped after any iteration and resumed continues with the same bits.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "devices.h"
#include "factorization/loop/alternate.h"
#include "factorization/loop/alternate_by_ratios.h"
#include "factorization/loop/columns_first.h"
#include "factorization/starts.h"
#include "factorization_matrices.h"

namespace {

using namespace test;

constexpr Index k = 5;

struct Ending {
  std::vector<float> W;
  std::vector<float> Ht;
  LoopState state;
};

struct Scene {
  std::string name;
  Dense X;
  FitOptions options;
};

LoopOptions loop_options(const FitOptions& o, Index iterations) {
  return {.max_iterations = iterations,
          .tolerance = 0,
          .inner_sweeps = 1,
          .extrapolated = o.extrapolated,
          .penalties = o.penalties,
          .objective_exponent = 0,
          .seed = 3};
}

std::string checkpoint_path() {
  const std::string name = "checkpoint-" + std::to_string(::getpid()) + ".safetensors";
  return std::filesystem::temp_directory_path() / name;
}

const std::string metadata = "{\"run\":\"of a test\"}";

// Runs to `iterations`, from a checkpoint where there is one.
Ending run(Passes& device, const Scene& scene, Index iterations, const ResumedRun* from,
           const std::string& path) {
  const Job quiet = job();
  const auto source = scene.X.source();
  const ScaledInput scaled(device, {.X = *source, .sign = EntrySign::any}, quiet,
                           scene.options.loss);
  const Input& input = *scaled;
  const BackendMatrix W(device, scene.X.rows, k);
  const BackendMatrix Ht(device, scene.X.cols, k);
  const ModelRule& rule = rule_for(scene.options.model, scene.options.solver);
  LoopState state;
  if (from != nullptr) {
    device.upload(from->W.view(), W.view());
    device.upload(from->Ht.view(), Ht.view());
    state = from->state;
  } else {
    const auto start = rule.orthonormal ? start_orthonormal : start_random;
    start(input, scene.options, W.view(), Ht.view());
    state = start_state(scene.X.cols, k, scene.options.penalties, 1);
  }
  const CheckpointOptions where{.path = path, .seconds = 1e9, .metadata = metadata};
  Checkpoints checkpoints(input, where);
  const LoopOptions options = loop_options(scene.options, iterations);
  if (scene.options.loss.kind == LossKind::divergence)
    alternate_by_ratios(input, options, checkpoints, from, state, W.view(), Ht.view());
  else if (rule.monotone)
    alternate(input, rule, options, checkpoints, from, state, W.view(), Ht.view());
  else
    alternate_columns_first(input, rule, options,
                            {.kept_share = 0.1, .patience = 100, .refit = false}, checkpoints, from,
                            state, W.view(), Ht.view());
  const HostMatrix<float> host_W = downloaded(device, W.view());
  const HostMatrix<float> host_Ht = downloaded(device, Ht.view());
  return {{host_W.row(0), host_W.row(host_W.rows())},
          {host_Ht.row(0), host_Ht.row(host_Ht.rows())},
          state};
}

std::vector<Scene> scenes() {
  const Dense mixed = gaussian(120, 90, 7);  // the identity serves
  const Dense small = gaussian(60, 12, 9);   // measured from the start
  const auto with = [](Model model, Solver solver, auto change) {
    FitOptions o = options(model, solver, Start::random, 0);
    change(o);
    return o;
  };
  const auto plain = [](FitOptions&) {};
  const auto extrapolated = [](FitOptions& o) { o.extrapolated = true; };
  const auto penalised = [](FitOptions& o) { o.penalties = {0.1, 0.2, 0.1, 0.2}; };
  const auto kullback = [](FitOptions& o) { o.loss = {LossKind::divergence, 1}; };
  const auto kullback_extrapolated = [](FitOptions& o) {
    o.loss = {LossKind::divergence, 1};
    o.extrapolated = true;
  };
  return {{"semi-nmf", mixed, with(Model::semi_nmf, Solver::hals, plain)},
          {"small semi-nmf", small, with(Model::semi_nmf, Solver::hals, plain)},
          {"semi-nmf mu", mixed, with(Model::semi_nmf, Solver::mu, plain)},
          {"nmf extrapolated", absolute(mixed), with(Model::nmf, Solver::hals, extrapolated)},
          {"nmf mu extrapolated", absolute(mixed), with(Model::nmf, Solver::mu, extrapolated)},
          {"semi-nmf extrapolated", small, with(Model::semi_nmf, Solver::hals, extrapolated)},
          {"nmf penalised", absolute(small), with(Model::nmf, Solver::hals, penalised)},
          {"nmf kullback-leibler", absolute(mixed), with(Model::nmf, Solver::mu, kullback)},
          {"nmf kullback-leibler extrapolated", absolute(mixed),
           with(Model::nmf, Solver::mu, kullback_extrapolated)},
          {"semi-orthogonal nmf", mixed, with(Model::semi_orthogonal_nmf, Solver::cayley, plain)},
          {"dictionary learning", mixed, with(Model::dictionary_learning, Solver::hals, penalised)},
          {"orthogonal nmf", absolute(mixed), with(Model::orthogonal_nmf, Solver::alt_onmf, plain)},
          {"snmf", mixed, with(Model::snmf, Solver::mu, plain)},
          {"small snmf", small, with(Model::snmf, Solver::mu, plain)}};
}

void resumed_runs_have_the_bits_of_undisturbed_ones(Passes& device) {
  const std::string path = checkpoint_path();
  for (const Scene& scene : scenes()) {
    const Ending whole = run(device, scene, 12, nullptr, "");
    for (const Index stop : {0, 1, 5, 11}) {
      const std::string name = scene.name + " from " + std::to_string(stop);
      const Ending part = run(device, scene, stop, nullptr, path);
      // The last objective of a run is measured once more, after its checkpoint.
      for (Index objectives = stop; objectives <= stop + 1; ++objectives) {
        try {
          const bool two_pairs = scene.options.extrapolated ||
                                 !rule_for(scene.options.model, scene.options.solver).monotone;
          const ResumedRun read = read_checkpoint({path, 0, metadata}, scene.X.rows, scene.X.cols,
                                                  k, objectives, two_pairs);
          const Ending rest = run(device, scene, 12, &read, "");
          same_bits(rest.W.data(), whole.W.data(), whole.W.size(), name + ", W");
          same_bits(rest.Ht.data(), whole.Ht.data(), whole.Ht.size(), name + ", Ht");
          same_bits(rest.state.objective.data(), whole.state.objective.data(),
                    whole.state.objective.size(), name + ", objectives");
          check(read.state.iteration == stop, name + ", iteration");
          break;
        } catch (const Error&) {
          check(objectives == stop, name + " is read");
        }
      }
    }
  }
  ::unlink(path.c_str());
}

void damaged_checkpoints_are_refused(Passes& device) {
  const std::string path = checkpoint_path();
  const Scene scene = scenes()[0];
  run(device, scene, 3, nullptr, path);
  std::ifstream in(path, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  const auto refused = [&](const std::string& bytes, const std::string& of, Index rows) {
    std::ofstream(path, std::ios::binary) << bytes;
    throws<Error>([&] { read_checkpoint({path, 0, of}, rows, scene.X.cols, k, 3, false); },
                  [](const Error& error) { check(error.code == ErrorCode::file, error.what()); },
                  "a checkpoint that is none");
  };
  refused(good.substr(0, good.size() - 1), metadata, 120);
  refused(good + " ", metadata, 120);
  refused(good.substr(0, 3), metadata, 120);
  refused("", metadata, 120);
  refused(good, "{\"run\":\"another\"}", 120);
  refused(good, metadata, 119);
  std::string flipped = good;
  flipped[20] ^= 1;
  refused(flipped, metadata, 120);
  // A wrong number among the tensors, and in the checksum.
  for (const std::size_t back : {std::size_t{1}, std::size_t{100}, good.size() / 2}) {
    std::string wrong = good;
    wrong[good.size() - back] ^= 1;
    refused(wrong, metadata, 120);
  }
  ::unlink(path.c_str());
}

void checkpoint_suite(Passes& device) {
  resumed_runs_have_the_bits_of_undisturbed_ones(device);
  damaged_checkpoints_are_refused(device);
}

}  // namespace

int main() {
  checkpoint_suite(passes_for("cpu"));
  on_emulated_gpu(checkpoint_suite);
  on_guarded_memory(checkpoint_suite);
  return test::report("checkpoint");
}
