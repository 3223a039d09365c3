#pragma once

#include <vector>

#include "core/random.h"
#include "tested_device.h"

// A tile of scores with bounds, for suites of kernels.
namespace test {

using namespace gemmine;
using namespace gemmine::cuda;

inline std::vector<float> numbers(Index count, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  const CounterRandom random(seed, 1);
  for (Index i = 0; i < count; ++i)
    values[i] = static_cast<float>(random.normal(static_cast<std::uint64_t>(i), 0));
  return values;
}

// Two queries of different bounds, and rows of different bounds.
struct Scored {
  Scored(Index rows, Index lanes, std::uint64_t seed) : scores(numbers(lanes * rows, seed)) {
    for (Index i = 0; i < lanes; ++i)
      lane.push_back({.scale = i % 2 == 0 ? 0.5f : 2.0f,
                      .norm = 0.25f,
                      .residual = static_cast<float>(i),
                      .row = static_cast<std::int32_t>(10 + i),
                      .above = 0.75 + static_cast<double>(i),
                      .below = 0.5,
                      .unit = i % 2 == 0 ? 1.0 : 4.0});
    for (Index j = 0; j < rows; ++j)
      bounds.push_back({.up = 0.125f,
                        .down = -0.0625f,
                        .norm = 1.0f + static_cast<float>(j % 3),
                        .residual = 0.03125f,
                        .scale = j % 2 == 0 ? 1.0f : 4.0f});
  }
  Index rows() const { return static_cast<Index>(bounds.size()); }
  float upper(Index i, Index j) const { return of(i, j) + bounds[j].up + error(i, j); }
  float lower(Index i, Index j) const { return of(i, j) + bounds[j].down - error(i, j); }
  float of(Index i, Index j) const {
    return scores[i * rows() + j] * lane[i].scale * bounds[j].scale;
  }
  float error(Index i, Index j) const {
    return lane[i].norm * bounds[j].norm + lane[i].residual * bounds[j].residual;
  }

  std::vector<float> scores;
  std::vector<TileLane> lane;
  std::vector<RowBound> bounds;
};

// The same on the device, from which tiles are cut.
struct OnDevice {
  explicit OnDevice(const Scored& of)
      : device(tested_device()),
        scores(device, of.scores),
        lane(device, of.lane),
        bounds(device, of.bounds),
        stride(of.rows()),
        lanes(static_cast<std::int32_t>(of.lane.size())) {}
  ScoreTile tile(Index first, Index rows) const {
    return {.scores = scores.data() + first,
            .stride = stride,
            .lanes = lanes,
            .rows = static_cast<std::int32_t>(rows),
            .first_row = static_cast<std::int32_t>(first),
            .unused = 0,
            .lane = lane.data(),
            .bounds = bounds.data() + first};
  }
  std::shared_ptr<Device> device;
  Array<float> scores;
  Array<TileLane> lane;
  Array<RowBound> bounds;
  Index stride;
  std::int32_t lanes;
};

}  // namespace test
