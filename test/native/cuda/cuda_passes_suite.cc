// What only a device with memory of its own can do wrong: failures of any call, aborts, memory that
// does not fit, streams; and the bits that a GPU shares with the CPU.
#include <algorithm>

#include "backend/cuda/cuda_passes.h"
#include "backend/cuda/row_feed.h"
#include "backend/cuda/row_stream.h"
#include "backend/registry.h"
#include "core/pool.h"
#include "cuda/emulated.h"
#include "factorization_matrices.h"

namespace {

using namespace test;
using emulation::runtime_options;

Passes& cpu_device() { return passes_for("cpu"); }

// A fit of each kind of path: kernels of the device, and steps of the CPU.
void run_fits(Passes& device, const Dense& X) {
  fitted(device, X, 3, options(Model::semi_nmf, Solver::hals, Start::random, 1));
  fitted(device, absolute(X), 3, options(Model::nmf, Solver::anls_bpp, Start::random, 1));
}

// Runs body with the n-th call failing, for every n until it succeeds; nothing is held afterwards.
template <class Body>
void every_call_may_fail(cudaError_t failure, ErrorCode code, const Body& body) {
  runtime_options.failure = failure;
  long failed = 0;
  for (long n = 1;; ++n) {
    runtime_options.calls_to_fail = n;
    bool threw = false;
    try {
      body();
    } catch (const Error& error) {
      threw = true;
      check(error.code == code || error.code == ErrorCode::out_of_memory ||
                error.code == ErrorCode::device_failure,
            std::string("the code of a failure: ") + error.what());
      check(std::string(error.what()).starts_with("cuda:0"), error.what());
    }
    const bool reached = runtime_options.calls_to_fail == 0;
    runtime_options.calls_to_fail = 0;
    check_emulation("call " + std::to_string(n));
    if (!reached) break;
    failed += threw;
  }
  check(failed > 50, "many calls were made to fail: " + std::to_string(failed));
}

void any_failing_call_is_a_coded_error_and_frees_everything() {
  const Dense X = planted(20, 6, 3, 5);
  const auto body = [&] {
    const auto device = emulated_device();
    run_fits(*cuda::make_passes(device, cpu_device()), X);
  };
  every_call_may_fail(cudaErrorLaunchFailure, ErrorCode::device_failure, body);
  every_call_may_fail(cudaErrorMemoryAllocation, ErrorCode::out_of_memory, body);
}

void an_abort_frees_everything() {
  const Dense X = planted(600, 20, 3, 5);
  {
    const auto device = emulated_device();
    const auto passes = cuda::make_passes(device, cpu_device());
    std::int32_t stop = 0;
    Job job{.cancellation = Cancellation(&stop), .report = {}, .threads = 2};
    job.report = [&](const Progress& progress) { stop = progress.done >= 2 ? 1 : 0; };
    Dense W = zeros(X.rows, 3), H = zeros(3, X.cols);
    throws<Cancelled>(
        [&] {
          const auto source = X.source();
          fit(*passes, *source, options(Model::semi_nmf, Solver::hals, Start::random, 50),
              {W.values.data(), X.rows, 3, 3}, {H.values.data(), 3, X.cols, X.cols}, job);
        },
        [](auto&) {}, "an abort");
  }
  check_emulation("after an abort");
}

void memory_that_does_not_fit_names_its_bytes() {
  const Dense X = planted(3000, 40, 3, 5);
  runtime_options.device_bytes = 200 << 10;
  {
    const auto device = emulated_device();
    const auto passes = cuda::make_passes(device, cpu_device());
    throws<Error>([&] { run_fits(*passes, X); },
                  [](const Error& error) {
                    check(error.code == ErrorCode::out_of_memory, error.what());
                    check(std::string(error.what()).find("bytes are free") != std::string::npos,
                          error.what());
                  },
                  "X beyond the device");
  }
  runtime_options.device_bytes = std::size_t{1} << 31;
  check_emulation("after memory ran out");
}

Fitted fitted_with(std::size_t device_bytes, int eagerness, const Dense& X) {
  runtime_options.device_bytes = device_bytes;
  runtime_options.eagerness = eagerness;
  const auto device = emulated_device();
  const auto passes = cuda::make_passes(device, cpu_device());
  Fitted result = fitted(*passes, X, 4, options(Model::nmf, Solver::hals, Start::random, 3));
  runtime_options = {};
  return result;
}

// X as a resident copy, X that is streamed because it does not fit, and streams that go on at any
// time: the same bits.
void streamed_and_resident_rows_give_the_same_bits() {
  const Dense X = absolute(planted(33000, 10, 4, 5));
  const Fitted resident = fitted_with(std::size_t{1} << 31, 0, X);
  const std::size_t little = std::size_t{5} << 20;
  for (const int eagerness : {0, 30, 80}) {
    const Fitted streamed = fitted_with(little, eagerness, X);
    same_bits(resident.W.values.data(), streamed.W.values.data(), resident.W.values.size(),
              "W of a streamed X");
    same_bits(resident.H.values.data(), streamed.H.values.data(), resident.H.values.size(),
              "H of a streamed X");
  }
  check_emulation("streams");
}

// Small memory is kept for the next allocation, and compute() may not have used it yet when
// copies() writes to it.
void a_copy_of_rows_does_not_overwrite_memory_that_is_still_read() {
  const auto device = emulated_device();
  const Index n = 32, d = 8;
  const std::vector<float> ones(n * d, 1.0f);
  const cuda::Array<float> to(device, n * d);
  const Index bytes = n * d * Index{sizeof(float)};
  const auto read_later = [&] {
    const cuda::Array<float> from(device, ones);
    to.clear(n * d);
    const cuda::Copy copy{cuda::Direction::within, to.data(), bytes, from.data(), bytes, bytes, 1};
    device->require(device->runtime().copy(device->compute(), &copy));
  };
  const Dense X = absolute(planted(n, d, 2, 5));
  const auto rows = X.source();
  read_later();
  cuda::RowStream(device, *rows, {.begin = 0, .count = n}, job()).each_block([](Index, cuda::In) {
  });
  check(to.download() == ones, "a stream of rows overwrote memory that is still read");
  read_later();
  {
    cuda::RowFeed feed(device, *rows, n);
    feed.bring(0, n, nullptr, job());
    feed.done();
  }
  check(to.download() == ones, "a feed of rows overwrote memory that is still read");
}

void random_numbers_have_the_bits_of_the_cpu() {
  const auto device = emulated_device();
  const auto passes = cuda::make_passes(device, cpu_device());
  const Index n = 70, k = 9;
  for (const Distribution kind : {Distribution::constant, Distribution::uniform,
                                  Distribution::normal, Distribution::half_normal}) {
    const Draws draws{.distribution = kind, .scale = 0.3, .seed = 77, .stream = 5, .first_row = 11};
    std::vector<std::vector<float>> found;
    for (Passes* each : {passes.get(), &cpu_device()}) {
      const auto memory = each->allocate(n * k);
      const BackendView<float> view{memory.get(), n, k, k};
      each->fill_random(draws, view, job());
      found.emplace_back(n * k);
      each->download(view, {found.back().data(), n, k, k});
    }
    same_bits(found[0].data(), found[1].data(), found[0].size(), "random numbers");
  }
}

}  // namespace

int main() {
  any_failing_call_is_a_coded_error_and_frees_everything();
  an_abort_frees_everything();
  memory_that_does_not_fit_names_its_bytes();
  streamed_and_resident_rows_give_the_same_bits();
  a_copy_of_rows_does_not_overwrite_memory_that_is_still_read();
  random_numbers_have_the_bits_of_the_cpu();
  return report("cuda passes");
}
