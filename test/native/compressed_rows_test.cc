// Conversion of entries in any order to rows, compared with a naive table of sums.
#include "core/compressed_rows.h"

#include <map>
#include <numeric>

#include "core/random.h"
#include "core/transpose.h"
#include "fixtures.h"

namespace {

using namespace test;

struct Scene {
  Index rows, cols;
  std::vector<std::int32_t> row, column;
  std::vector<double> value;
};

Scene random_scene(Index rows, Index cols, Index entries, std::uint64_t seed) {
  Scene scene{rows, cols, {}, {}, {}};
  for (Index t = 0; t < entries; ++t) {
    const auto draw = [&](Index bound, std::uint32_t item) {
      const double drawn = CounterRandom(seed, 0).uniform(t, item);
      return static_cast<std::int32_t>(drawn * static_cast<double>(bound));
    };
    scene.row.push_back(draw(rows, 0));
    scene.column.push_back(draw(cols, 1));
    scene.value.push_back(draw(100, 2) - 50);
  }
  return scene;
}

template <class T>
FileArray array_of(const char* name, const std::vector<T>& elements, ElementType type) {
  return {.name = name,
          .data = reinterpret_cast<const std::byte*>(elements.data()),
          .format = type,
          .count = static_cast<Index>(elements.size())};
}

struct Result {
  std::vector<std::int32_t> indptr, indices;
  std::vector<float> values;
};

Result compressed(const SparseEntries& given, const Job& job = job_of(1)) {
  const auto room = static_cast<std::size_t>(2 * given.entries);
  Result result{std::vector<std::int32_t>(given.rows + 1), std::vector<std::int32_t>(room),
                std::vector<float>(room)};
  const Index written =
      compress_rows<std::int32_t>(given, result.indptr, result.indices, result.values, job);
  result.indices.resize(written);
  result.values.resize(written);
  return result;
}

// As the naive sums are, columns ascending.
void expect_sums(const Result& result, const std::map<std::pair<int, int>, double>& sums) {
  test::check(result.indices.size() == sums.size(), "every place once");
  std::size_t t = 0;
  for (const auto& [place, sum] : sums) {
    const auto [row, column] = place;
    test::check(result.indices[t] == column, "its column");
    test::check(
        result.indptr[row] <= static_cast<int>(t) && static_cast<int>(t) < result.indptr[row + 1],
        "its row");
    test::near(result.values[t], sum, 0, "its sum");
    ++t;
  }
}

SparseEntries coordinates(const Scene& scene, Mirror mirror) {
  return {.layout = SparseLayout::coordinate,
          .mirror = mirror,
          .rows = scene.rows,
          .cols = scene.cols,
          .entries = static_cast<Index>(scene.row.size()),
          .major = array_of("row", scene.row, ElementType::int32),
          .minor = array_of("col", scene.column, ElementType::int32),
          .values = array_of("data", scene.value, ElementType::float64)};
}

void layouts_agree() {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Scene scene = random_scene(1 + static_cast<Index>(seed), 9, 40 * seed, seed);
    std::map<std::pair<int, int>, double> sums;
    for (std::size_t t = 0; t < scene.row.size(); ++t)
      sums[{scene.row[t], scene.column[t]}] += scene.value[t];
    expect_sums(compressed(coordinates(scene, Mirror::none)), sums);
    // The same by rows and by columns, the order within them as it was.
    for (const SparseLayout layout : {SparseLayout::csr, SparseLayout::csc}) {
      const bool by_row = layout == SparseLayout::csr;
      const auto& major = by_row ? scene.row : scene.column;
      const auto& minor = by_row ? scene.column : scene.row;
      std::vector<std::size_t> order(major.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::ranges::stable_sort(order, {}, [&](std::size_t t) { return major[t]; });
      std::vector<std::int64_t> starts(static_cast<std::size_t>(by_row ? scene.rows : scene.cols) +
                                       1);
      std::vector<std::uint16_t> places;
      std::vector<double> values;
      for (const std::size_t t : order) {
        ++starts[major[t] + 1];
        places.push_back(static_cast<std::uint16_t>(minor[t]));
        values.push_back(scene.value[t]);
      }
      std::partial_sum(starts.begin(), starts.end(), starts.begin());
      SparseEntries given = coordinates(scene, Mirror::none);
      given.layout = layout;
      given.major = array_of("indptr", starts, ElementType::int64);
      given.minor = array_of("indices", places, ElementType::uint16);
      given.values = array_of("data", values, ElementType::float64);
      expect_sums(compressed(given), sums);
    }
  }
}

void halves_are_mirrored() {
  const Scene scene{3, 3, {2, 0, 1}, {0, 1, 1}, {5, 7, 9}};
  expect_sums(compressed(coordinates(scene, Mirror::symmetric)),
              {{{0, 1}, 7}, {{0, 2}, 5}, {{1, 0}, 7}, {{1, 1}, 9}, {{2, 0}, 5}});
  expect_sums(compressed(coordinates(scene, Mirror::skew)),
              {{{0, 1}, 7}, {{0, 2}, -5}, {{1, 0}, -7}, {{1, 1}, 9}, {{2, 0}, 5}});
}

void damage_is_told(SparseEntries given, const std::string& message) {
  test::throws<Error>([&] { compressed(given); },
                      [&](const Error& error) {
                        test::check(error.code == ErrorCode::file, "its code");
                        test::check(error.what() == message, error.what());
                      },
                      message.c_str());
}

void what_is_wrong_is_told() {
  const Scene whole{2, 3, {0, 1}, {2, 0}, {1, 2}};
  Scene scene = whole;
  scene.row[1] = 2;
  damage_is_told(coordinates(scene, Mirror::none),
                 "row: expected a row in 0..1 at entry 1, received 2");
  scene = whole;
  scene.column[0] = -1;
  damage_is_told(coordinates(scene, Mirror::none),
                 "col: expected a column in 0..2 at entry 0, received -1");
  scene = whole;
  scene.value[0] = 1e300;
  damage_is_told(coordinates(scene, Mirror::none),
                 "data: expected a number within float32's range at row 0, column 2, received "
                 "1.0000000000000001e+300");
  SparseEntries given = coordinates(whole, Mirror::none);
  given.layout = SparseLayout::csr;
  const std::vector<std::int64_t> falling = {0, 2, 1};
  given.major = array_of("indptr", falling, ElementType::int64);
  damage_is_told(given, "indptr: expected row starts that ascend from 0, received 1 at row 2");
}

void a_raised_signal_stops_it() {
  const std::int32_t raised = 1;
  const Scene scene = random_scene(5, 5, 50, 1);
  const Job job{.cancellation = Cancellation(&raised), .report = nullptr, .threads = 1};
  test::throws<Cancelled>([&] { compressed(coordinates(scene, Mirror::none), job); },
                          [](const Cancelled&) {}, "cancelled");
}

template <class T>
void transposes() {
  const Index rows = 67, cols = 35;
  std::vector<T> columns(rows * cols), result(rows * cols);
  std::iota(columns.begin(), columns.end(), T{0});
  transpose(reinterpret_cast<const std::byte*>(columns.data()),
            reinterpret_cast<std::byte*>(result.data()), rows, cols, sizeof(T), job_of(1));
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j)
      test::check(result[i * cols + j] == columns[j * rows + i], "an element in its place");
}

}  // namespace

int main() {
  layouts_agree();
  halves_are_mirrored();
  what_is_wrong_is_told();
  a_raised_signal_stops_it();
  transposes<std::uint8_t>();
  transposes<std::uint16_t>();
  transposes<std::uint32_t>();
  transposes<std::uint64_t>();
  return test::report("compressed rows");
}
