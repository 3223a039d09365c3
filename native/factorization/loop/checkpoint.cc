#include "factorization/loop/checkpoint.h"

#include <span>

#include "core/tensor_file.h"

namespace gemmine {
namespace {

// Visits the scalar members of LoopState, in the same order for writing and reading.
template <class State, class Visit>
void each_number(State& state, Visit visit) {
  visit(state.iteration);
  visit(state.converged);
  visit(state.direct);
  visit(state.guarded);
  visit(state.stalled);
  visit(state.stepped_back);
  visit(state.damping);
  visit(state.extrapolation);
  visit(state.most_extrapolation);
  visit(state.best);
  visit(state.progressed);
  visit(state.worked);
  visit(state.volume_weight);
}

// A run as named arrays of a file.
struct Arrays {
  std::vector<double> numbers;
  std::vector<double> objective;
  std::vector<double> measured;
  std::vector<double> dead_for;
  std::vector<double> attempts;
  std::vector<double> row_gram;
  std::vector<double> step_lengths;
};

Arrays arrays_of(const LoopState& state) {
  Arrays arrays;
  each_number(state, [&](auto value) { arrays.numbers.push_back(static_cast<double>(value)); });
  arrays.objective = state.objective;
  arrays.measured.assign(state.measured.begin(), state.measured.end());
  arrays.dead_for.assign(state.dead_for.begin(), state.dead_for.end());
  arrays.attempts.assign(state.attempts.begin(), state.attempts.end());
  arrays.row_gram = state.row_gram;
  arrays.step_lengths = state.step_lengths;
  return arrays;
}

LoopState state_of(const Arrays& arrays) {
  LoopState state;
  std::size_t at = 0;
  each_number(state, [&]<class T>(T& value) { value = static_cast<T>(arrays.numbers[at++]); });
  state.objective = arrays.objective;
  state.measured.assign(arrays.measured.begin(), arrays.measured.end());
  state.dead_for.assign(arrays.dead_for.begin(), arrays.dead_for.end());
  state.attempts.assign(arrays.attempts.begin(), arrays.attempts.end());
  state.row_gram = arrays.row_gram;
  state.step_lengths = arrays.step_lengths;
  return state;
}

FileTensor tensor(const char* name, HostMatrix<float>& matrix) {
  const auto count = static_cast<std::size_t>(matrix.rows() * matrix.cols());
  return {name, "F32", {matrix.rows(), matrix.cols()}, bytes_of(std::span(matrix.row(0), count))};
}

FileTensor tensor(const char* name, std::vector<double>& values) {
  return {name, "F64", {static_cast<Index>(values.size())}, bytes_of(std::span(values))};
}

std::vector<FileTensor> tensors_of(Arrays& arrays, ResumedRun& factors) {
  return {tensor("numbers", arrays.numbers),
          tensor("objective", arrays.objective),
          tensor("measured", arrays.measured),
          tensor("dead_for", arrays.dead_for),
          tensor("attempts", arrays.attempts),
          tensor("row_gram", arrays.row_gram),
          tensor("step_lengths", arrays.step_lengths),
          tensor("W", factors.W),
          tensor("Ht", factors.Ht),
          tensor("other_W", factors.other_W),
          tensor("other_Ht", factors.other_Ht)};
}

// Adds the length of the arrays, which a reader needs.
std::string with_sizes(const std::string& metadata, std::size_t objectives) {
  return metadata.substr(0, metadata.size() - 1) + ",\"objectives\":\"" +
         std::to_string(objectives) + "\"}";
}

}  // namespace

void Checkpoints::at_end_of_iteration(const LoopState& state, bool is_last,
                                      BackendView<const float> W, BackendView<const float> Ht,
                                      const OtherPair& other) {
  const bool stops = input_.job.cancellation.asked_to_stop();
  if (!options_.path.empty()) {
    const auto now = std::chrono::steady_clock::now();
    const double waited = std::chrono::duration<double>(now - written_).count();
    const bool first = written_ == std::chrono::steady_clock::time_point{};
    if (first || is_last || stops || waited >= options_.seconds) {
      write(state, W, Ht, other);
      written_ = now;
    }
  }
  if (stops) throw Cancelled();
}

void Checkpoints::write(const LoopState& state, BackendView<const float> W,
                        BackendView<const float> Ht, const OtherPair& other) {
  Arrays arrays = arrays_of(state);
  const auto if_there = [&](BackendView<const float> factor) {
    return factor.data == nullptr ? HostMatrix<float>(0, W.cols)
                                  : downloaded(input_.backend, factor);
  };
  ResumedRun factors{.state = {},
                     .W = downloaded(input_.backend, W),
                     .Ht = downloaded(input_.backend, Ht),
                     .other_W = if_there(other.W),
                     .other_Ht = if_there(other.Ht)};
  write_tensor_file(options_.path, with_sizes(options_.metadata, arrays.objective.size()),
                    tensors_of(arrays, factors));
}

ResumedRun read_checkpoint(const CheckpointOptions& options, Index n, Index d, Index k,
                           Index objectives, bool with_other_pair) {
  const LoopState empty;
  Arrays arrays = arrays_of(empty);
  const auto length = static_cast<std::size_t>(objectives);
  arrays.objective.resize(length);
  arrays.measured.resize(length);
  arrays.dead_for.resize(static_cast<std::size_t>(k));
  arrays.attempts.resize(static_cast<std::size_t>(k));
  arrays.row_gram.resize(static_cast<std::size_t>(k * k));
  arrays.step_lengths.resize(static_cast<std::size_t>(k));
  ResumedRun run{.state = {},
                 .W = HostMatrix<float>(n, k),
                 .Ht = HostMatrix<float>(d, k),
                 .other_W = HostMatrix<float>(with_other_pair ? n : 0, k),
                 .other_Ht = HostMatrix<float>(with_other_pair ? d : 0, k)};
  read_tensor_file(options.path, with_sizes(options.metadata, length), tensors_of(arrays, run));
  run.state = state_of(arrays);
  return run;
}

}  // namespace gemmine
