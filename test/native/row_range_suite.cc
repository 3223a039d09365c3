// Conformance of passes over a range of rows: the bits are those of a source with only these rows;
// masks, weights and noise number rows from the first row of X.
#include "devices.h"
#include "fixtures.h"
#include "small_problems.h"

namespace {

using namespace test;

constexpr Index n = 3000;
constexpr Index d = 80;
constexpr Index k = 5;
constexpr RowRange range{.begin = 431, .count = 1777};

struct Scene {
  std::string name;
  Loss loss;
  Mask mask = no_mask;
  Noise noise = no_noise;
  std::vector<float> weights = {};
};

struct Outcome {
  std::vector<double> W;
  std::vector<double> cross;
  std::vector<double> measures;
};

// One pass over these rows of X, from given factors.
Outcome run(Passes& device, const RowSource& X, const Scene& scene, const Matrix& start,
            std::optional<RowRange> rows) {
  const bool ratios = scene.loss.kind == LossKind::divergence;
  const Factor W(device, start);
  const Factor Ht(device, oracle::random(d, k, 3, true));
  const NormalMatrix normal = normal_of(Ht.matrix());
  const auto sums = device.make_sums(d, k);
  const Group group{.Ht = Ht.view(),
                    .normal = normal,
                    .step = Step{.kind = ratios ? StepKind::ratio : StepKind::nonnegative_sweep,
                                 .l1 = 0.3,
                                 .l2 = 0.2,
                                 .sweeps = 2,
                                 .relaxation = 1},
                    .W = W.view(),
                    .measure = ratios ? Measure::divergence : Measure::identity,
                    .accumulate = true,
                    .sums = *sums,
                    .mask = scene.mask,
                    .noise = scene.noise};
  device.pass({.X = X,
               .exponent = 0,
               .groups = {&group, 1},
               .loss = scene.loss,
               .row_weights = scene.weights,
               .rows = rows},
              job_of(3));
  Outcome outcome{W.matrix().data, device.cross(*sums), sums->gram};
  outcome.measures.push_back(sums->incoming_product);
  outcome.measures.push_back(sums->incoming_divergence);
  return outcome;
}

void equals(const std::vector<double>& a, const std::vector<double>& b, const std::string& what) {
  test::check(a.size() == b.size(), what + ": size");
  test::same_bits(a.data(), b.data(), a.size(), what);
}

Matrix rows_of_matrix(const Matrix& all, RowRange rows) {
  const auto first = all.data.begin() + rows.begin * all.cols;
  return Matrix(rows.count, all.cols, {first, first + rows.count * all.cols});
}

// X with many zeros, dense or as CSR, with its memory.
struct Held {
  Matrix X;
  std::vector<float> floats;
  std::unique_ptr<Csr> csr;
  std::unique_ptr<RowSource> source;

  Held(Matrix rows, bool sparse) : X(std::move(rows)), floats(X.floats()) {
    if (sparse) csr = std::make_unique<Csr>(X);
    source =
        sparse ? csr->source() : dense_source(floats.data(), ElementType::float32, X.rows, d, d);
  }
};

Matrix entries() {
  Matrix X = oracle::random(n, d, 1, true);
  for (double& x : X.data) x = x < 0.7 ? 0 : x;
  return X;
}

void a_range_gives_the_bits_of_its_rows_alone(Passes& device) {
  const Matrix start = oracle::random(n, k, 2, true);
  for (const bool sparse : {false, true})
    for (const Loss& loss : {frobenius_loss, Loss{LossKind::divergence, 1}}) {
      const Scene scene{.name = sparse ? "sparse" : "dense", .loss = loss};
      const Held whole(entries(), sparse);
      const Held part(rows_of_matrix(whole.X, range), sparse);
      const Outcome of_range = run(device, *whole.source, scene, start, range);
      const Outcome alone =
          run(device, *part.source, scene, rows_of_matrix(start, range), std::nullopt);
      equals(of_range.cross, alone.cross, scene.name + ", S");
      equals(of_range.measures, alone.measures, scene.name + ", R and measures");
      const Matrix W(n, k, of_range.W);
      equals(rows_of_matrix(W, range).data, alone.W, scene.name + ", rows of W in the range");
      for (const RowRange& other :
           {RowRange{0, range.begin},
            RowRange{range.begin + range.count, n - range.begin - range.count}})
        close(rows_of_matrix(W, other).data, rows_of_matrix(start, other).data, 1e-7,
              scene.name + ", other rows of W stay");
    }
}

std::vector<double> added(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> sum = a;
  for (std::size_t i = 0; i < b.size(); ++i) sum[i] += b[i];
  return sum;
}

// Two ranges that cover X: the codes are the same, and the sums add up.
void ranges_see_the_masks_weights_and_noise_of_their_rows(Passes& device) {
  std::vector<float> weights(n);
  for (Index i = 0; i < n; ++i) weights[i] = static_cast<float>(i % 4) / 2;
  const Matrix start = oracle::random(n, k, 2, true);
  const Mask held_out{nullptr, false, false, 0.2, 7};
  for (const bool sparse : {false, true})
    for (const Scene& scene :
         {Scene{"noise", frobenius_loss, no_mask, {0.1, 5}, weights},
          Scene{"mask and noise", {LossKind::divergence, 1}, held_out, {0.1, 5}, weights}}) {
      const Held whole(entries(), sparse);
      const Outcome all = run(device, *whole.source, scene, start, std::nullopt);
      const RowRange first{0, 1234};
      const Outcome a = run(device, *whole.source, scene, start, first);
      const Outcome b = run(device, *whole.source, scene, Matrix(n, k, a.W),
                            RowRange{first.count, n - first.count});
      close(b.W, all.W, 1e-5, scene.name + ", W");
      close(added(a.cross, b.cross), all.cross, 2e-6, scene.name + ", S");
      close(added(a.measures, b.measures), all.measures, 2e-6, scene.name + ", R and measures");
    }
}

void an_empty_range_changes_nothing(Passes& device) {
  const Matrix start = oracle::random(n, k, 2, true);
  for (const bool sparse : {false, true}) {
    const Held whole(entries(), sparse);
    const Outcome none = run(device, *whole.source, {.name = "empty", .loss = frobenius_loss},
                             start, RowRange{9, 0});
    close(none.W, start.data, 1e-7, "W");  // rounded to float32
    equals(none.cross, std::vector<double>(d * k), "S of no rows");
  }
}

void row_range_suite(Passes& device) {
  a_range_gives_the_bits_of_its_rows_alone(device);
  ranges_see_the_masks_weights_and_noise_of_their_rows(device);
  an_empty_range_changes_nothing(device);
}

}  // namespace

int main() {
  each_device(row_range_suite);
  return test::report("row range");
}
