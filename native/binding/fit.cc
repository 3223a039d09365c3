// fit(X, options, W, H, control)
#include "factorization/fit.h"

#include <limits>
#include <utility>

#include "backend/registry.h"
#include "binding/entry_points.h"
#include "binding/fit_options.h"
#include "binding/job.h"
#include "binding/read.h"
#include "binding/to_js.h"

namespace gemmine::binding {
namespace {

// Options that concern the entries of X.
struct EntryOptions {
  Loss loss;
  Mask mask;
  std::span<const float> row_weights;
};

EntryOptions read_entries(const Napi::Object& from, Index rows, Index cols, Borrowed& borrowed) {
  EntryOptions entries{read_loss(from), no_mask, {}};
  entries.mask.nan_is_missing = read<bool>(from, "nanIsMissing");
  entries.mask.implicit_is_missing = read<bool>(from, "implicitIsMissing");
  if (const Napi::Value seen = from.Get("mask"); !seen.IsUndefined())
    entries.mask.seen = read_array<std::uint8_t>(seen, "mask", rows, cols, borrowed);
  if (const Napi::Value weights = from.Get("sampleWeight"); !weights.IsUndefined())
    entries.row_weights = {read_array<float>(weights, "sampleWeight", rows, 1, borrowed),
                           static_cast<std::size_t>(rows)};
  return entries;
}

// A given start of a factor, of this shape; a null view for undefined.
HostView<const float> read_given(const Napi::Object& from, const char* name, Index rows, Index cols,
                                 Borrowed& borrowed) {
  const Napi::Value value = from.Get(name);
  if (value.IsUndefined()) return {nullptr, 0, 0, 0};
  const HostView<float> factor = read_matrix(value, name, borrowed);
  check_shape(from.Env(), name, factor, rows, cols);
  return factor;
}

CheckpointOptions read_checkpoint_options(const Napi::Object& from) {
  return {.path = read_optional<std::string>(from, "checkpoint").value_or(""),
          .seconds = read<double>(from, "checkpointSeconds"),
          .metadata = read<std::string>(from, "identity")};
}

std::optional<ResumeOptions> read_resume_options(const Napi::Object& from) {
  const auto path = read_optional<std::string>(from, "resume");
  if (!path) return std::nullopt;
  return ResumeOptions{
      .file = {.path = *path, .seconds = 0, .metadata = read<std::string>(from, "identity")},
      .objectives = read<Index>(from, "resumeObjectives")};
}

// The combinations [rank×rows] are filled, if an array for them is given.
HullOptions read_hull_options(const Napi::Object& from, Index rows, Index rank,
                              Borrowed& borrowed) {
  HullOptions hull{.at_most_one = read_at_most_one(from),
                   .normalised = read_optional<std::string>(from, "normalize") == "l1",
                   .relaxation = read_optional<double>(from, "relaxation").value_or(0),
                   .volume = read_optional<double>(from, "volume").value_or(0),
                   .volume_offset = read_optional<double>(from, "volumeOffset").value_or(1)};
  if (const Napi::Value A = from.Get("combinations"); !A.IsUndefined()) {
    hull.A = read_matrix(A, "combinations", borrowed);
    check_shape(from.Env(), "combinations", hull.A, rank, rows);
  }
  return hull;
}

}  // namespace

bool read_at_most_one(const Napi::Object& from) {
  return read_optional<std::string>(from, "rowSums") == "at-most-one";
}

double read_bound(const Napi::Object& from, const char* name) {
  const auto bound = read_optional<double>(from, name);
  if (!bound || *bound > std::numeric_limits<float>::max()) return unbounded;
  return static_cast<float>(*bound);
}

namespace {

// The adjacency matrix [n×n]; null if not given.
std::shared_ptr<const Source> read_adjacency(const Napi::Object& from, Index n,
                                             Borrowed& borrowed) {
  const Napi::Value given = from.Get("adjacency");
  if (given.IsUndefined()) return nullptr;
  auto adjacency = read_source(given, borrowed);
  const RowSource& rows = *adjacency->rows;
  if (!rows.sparse() || rows.rows() != n || rows.cols() != n)
    refuse(from.Env(), "a sparse matrix, as many rows and columns as rows of X", adjacency->name);
  return adjacency;
}

}  // namespace

FitOptions read_fit_options(const Napi::Object& from, Index rows, Index rank, Index cols,
                            const std::shared_ptr<const Source>& adjacency, Borrowed& borrowed) {
  const EntryOptions entries = read_entries(from, rows, cols, borrowed);
  const Model model = read_choice(from, "model", model_names);
  const Solver solver = read_choice(from, "solver", solver_names);
  if (find_rule(model, solver) == nullptr) refuse(from.Env(), "a solver of the model", "solver");
  return {.model = model,
          .solver = solver,
          .start = read_choice(from, "init", start_names),
          .tries_svd = read<bool>(from, "triesSvd"),
          .max_iterations = read<Index>(from, "maxIterations"),
          .tolerance = read<double>(from, "tolerance"),
          .inner_sweeps = read<Index>(from, "innerSweeps"),
          .extrapolated = read_choice(from, "acceleration", acceleration_names),
          .penalties = {.l1_w = read<double>(from, "l1W"),
                        .l2_w = read<double>(from, "l2W"),
                        .l1_h = read<double>(from, "l1H"),
                        .l2_h = read<double>(from, "l2H"),
                        .graph = read_optional<double>(from, "graphWeight").value_or(0),
                        .upper_w = read_bound(from, "upperW"),
                        .upper_h = read_bound(from, "upperH")},
          .seed = read<std::uint64_t>(from, "seed"),
          .loss = entries.loss,
          .mask = entries.mask,
          .row_weights = entries.row_weights,
          .given_W = read_given(from, "givenW", rows, rank, borrowed),
          .given_H = read_given(from, "givenH", rank, cols, borrowed),
          .checkpoint = read_checkpoint_options(from),
          .resume = read_resume_options(from),
          .adjacency = adjacency ? adjacency->rows.get() : nullptr,
          .kept_share = read_optional<double>(from, "sparsity").value_or(1),
          .patience = read_optional<Index>(from, "patience").value_or(0),
          .refit = read_optional<bool>(from, "refit").value_or(false),
          .keeps_columns = read_optional<bool>(from, "keepsH").value_or(false),
          .batch_rows = read_optional<Index>(from, "batchSize").value_or(0),
          .forget_factor = read_optional<double>(from, "forgetFactor").value_or(1),
          .hull = read_hull_options(from, rows, rank, borrowed)};
}

namespace {

struct Fitted {
  Convergence run;
  double seconds;
};

Napi::Value fitted_object(Napi::Env env, const Fitted& fitted) {
  Napi::Object object = Napi::Object::New(env);
  object["objective"] = array_of<double>(env, fitted.run.objective);
  object["iterations"] = number(env, fitted.run.iterations);
  object["converged"] = fitted.run.converged;
  object["relativeError"] = fitted.run.relative_error;
  object["init"] = name_of(start_names, fitted.run.start);
  object["warnings"] = strings(env, fitted.run.warnings);
  const std::vector<std::int32_t> anchors(fitted.run.anchors.begin(), fitted.run.anchors.end());
  object["anchors"] = array_of<std::int32_t>(env, anchors);
  object["seconds"] = fitted.seconds;
  return object;
}

}  // namespace

Napi::Value Fit(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto X = read_source(info[0], borrowed);
  const Napi::Object given = read_object(info[1], "options");
  const HostView<float> W = read_matrix(info[2], "W", borrowed);
  const HostView<float> H = read_matrix(info[3], "H", borrowed);
  check_shape(info.Env(), "W", W, X->rows->rows(), W.cols);
  check_shape(info.Env(), "H", H, W.cols, X->rows->cols());
  const Index rows = X->rows->rows();
  const auto adjacency = read_adjacency(given, rows, borrowed);
  const FitOptions options =
      read_fit_options(given, rows, W.cols, X->rows->cols(), adjacency, borrowed);
  return run_job(
      info.Env(), info[4], std::move(borrowed),
      [X, W, H, adjacency, options, device = read<std::string>(given, "device")](const Job& job) {
        check_entries(*X);
        if (adjacency) check_entries(*adjacency);
        Fitted fitted{};
        fitted.seconds =
            seconds_of([&] { fitted.run = fit(passes_for(device), *X->rows, options, W, H, job); });
        return fitted;
      },
      fitted_object);
}

}  // namespace gemmine::binding
