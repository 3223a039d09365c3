// Kernels whose bits are the same for every instruction set.
#include <cstring>
#include <limits>

#include "backend/cpu/kernels.h"
#include "backend/cpu/simplex_rows.h"
#include "backend/entries.h"
#include "backend/perturbed_block.h"
#include "check.h"
#include "fixtures.h"
#include "models_fixtures.h"

namespace {

using namespace test;
namespace cpu = gemmine::cpu;

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  // An empty vector may hold a null pointer, and memcmp takes none, even for 0 bytes.
  return a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void noise_has_the_bits_of_its_formula() {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float largest = std::numeric_limits<float>::max();
  for (const Index count : {0, 1, 3, 7, 8, 9, 16, 101}) {
    std::vector<float> x = oracle::random(1, std::max<Index>(count, 1), 3).floats();
    x.resize(static_cast<std::size_t>(count));
    const float special[] = {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), largest,
                             -largest, -0.0f,     std::numeric_limits<float>::denorm_min()};
    if (count > 20) std::copy(std::begin(special), std::end(special), x.begin() + 5);
    std::vector<std::int32_t> columns;
    for (Index t = 0; t < count; ++t) columns.push_back(static_cast<std::int32_t>(7919 * t + 3));
    for (const Index row : {Index{0}, Index{12345}, (Index{1} << 35) + 7})
      for (const std::int32_t* of : {static_cast<const std::int32_t*>(nullptr),
                                     static_cast<const std::int32_t*>(columns.data())}) {
        const NoisyRun run{x.data(), count, row, of};
        const Noise noise{.amplitude = 0.7, .seed = 0x123456789abcdefu};
        std::vector<float> expected(x.size());
        perturb(run, noise, expected.data());
        for (const cpu::Kernels* kernels : cpu::runnable_kernels()) {
          std::vector<float> found(x.size());
          kernels->perturb(run, noise, found.data());
          check(same_bits(found, expected), std::string("noise, ") + kernels->features);
          found = x;
          kernels->perturb({found.data(), count, row, of}, noise, found.data());
          check(same_bits(found, expected), std::string("noise in place, ") + kernels->features);
        }
      }
  }
}

void weights_on_the_simplex_are_exchanged_to_the_same_bits() {
  const auto all = cpu::runnable_kernels();
  for (const bool capped : {false, true})
    for (const Index k : {1, 2, 7, 8, 16, 17, 40})
      for (const Index rows : {1, 4, 33})
        for (const Index sweeps : {1, 3, 100}) {
          const Matrix H = oracle::random(20, k, 1);
          const std::vector<float> cross =
              oracle::multiply(oracle::random(rows, 20, 2), H).floats();
          const NormalMatrix normal = normal_of(H);
          std::vector<std::vector<float>> found;
          for (const cpu::Kernels* kernels : all) {
            std::vector<float> W = oracle::random(rows, k, 3, true).floats();
            cpu::SimplexRows(*kernels, normal, capped)
                .improve({cross.data(), rows, k, k}, {W.data(), rows, k, k}, sweeps);
            found.push_back(std::move(W));
          }
          for (const std::vector<float>& each : found)
            check(same_bits(each, found.back()), "exchanges, k " + std::to_string(k));
        }
}

}  // namespace

int main() {
  noise_has_the_bits_of_its_formula();
  weights_on_the_simplex_are_exchanged_to_the_same_bits();
  return report("instruction sets");
}
