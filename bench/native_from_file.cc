// How long does an iteration of a fit take with X in a file outside the page cache, with X in
// memory, and how long does one thread take to read the file? n d k, rounds, threads and a folder
// for the file are arguments. A line for each round after the first: seconds of the reading, of the
// iteration in memory and from the file, and the two iterations once more in CPU time.
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "backend/cpu/cpu_passes.h"
#include "core/elements.h"
#include "core/pool.h"
#include "core/random.h"
#include "factorization/fit.h"

namespace {

using namespace gemmine;

constexpr Index piece_bytes = Index{1} << 20;

double seconds(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double now() { return seconds(CLOCK_MONOTONIC); }
double cpu_now() { return seconds(CLOCK_PROCESS_CPUTIME_ID); }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void require(bool done, const char* what) {
  if (done) return;
  std::perror(what);
  std::exit(1);
}

// A file of its own, removed at the end.
class ScratchFile {
 public:
  ScratchFile(const std::string& folder, const std::vector<float>& values)
      : path_(folder + "/gemmine-from-file-XXXXXX"), bytes_(values.size() * sizeof(float)) {
    fd_ = ::mkstemp(path_.data());
    require(fd_ >= 0, path_.c_str());
    const char* at = reinterpret_cast<const char*>(values.data());
    for (Index done = 0; done < bytes_;) {
      const ssize_t wrote = ::write(fd_, at + done, static_cast<std::size_t>(bytes_ - done));
      require(wrote > 0, "write");
      done += wrote;
    }
    require(::fsync(fd_) == 0, "fsync");
  }
  ~ScratchFile() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  int fd() const { return fd_; }
  void leave_cache() const { ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED); }

  // Seconds of one thread that reads the file from its begin to its end.
  double read() const {
    std::vector<char> piece(piece_bytes);
    leave_cache();
    const double begin = now();
    for (Index at = 0; at < bytes_;) {
      const ssize_t got = ::pread(fd_, piece.data(), piece.size(), at);
      require(got > 0, "pread");
      at += got;
    }
    return now() - begin;
  }

 private:
  std::string path_;
  Index bytes_;
  int fd_;
};

FitOptions options(Index iterations) {
  return {.model = Model::nmf,
          .solver = Solver::hals,
          .start = Start::random,
          .tries_svd = false,
          .max_iterations = iterations,
          .tolerance = 0,
          .inner_sweeps = 1,
          .extrapolated = false,
          .penalties = {.l1_w = 0, .l2_w = 0, .l1_h = 0, .l2_h = 0},
          .seed = 1,
          .loss = frobenius_loss,
          .mask = no_mask,
          .row_weights = {},
          .given_W = {},
          .given_H = {},
          .checkpoint = {.path = "", .seconds = 0, .metadata = ""},
          .resume = std::nullopt,
          .adjacency = nullptr,
          .kept_share = 1,
          .patience = 0};
}

struct Cost {
  double wall;  // seconds
  double cpu;   // of all threads
};

// Medians over the iterations; `between` runs before each and is not measured.
Cost iteration(Passes& device, const RowSource& X, Index k, Index threads,
               const std::function<void()>& between) {
  constexpr Index iterations = 4;
  std::vector<double> wall, cpu;
  double begin = 0;
  double cpu_begin = 0;
  const auto report = [&](const Progress& progress) {
    if (std::string(progress.phase) != "iterate") return;
    if (progress.done > 1) {
      wall.push_back(now() - begin);
      cpu.push_back(cpu_now() - cpu_begin);
    }
    between();
    begin = now();
    cpu_begin = cpu_now();
  };
  const Job job{.cancellation = {}, .report = report, .threads = threads};
  std::vector<float> W(static_cast<std::size_t>(X.rows() * k));
  std::vector<float> H(static_cast<std::size_t>(k * X.cols()));
  fit(device, X, options(iterations), {W.data(), X.rows(), k, k}, {H.data(), k, X.cols(), X.cols()},
      job);
  return {median(wall), median(cpu)};
}

}  // namespace

int main(int count, char** arguments) {
  const auto argument = [&](int at, long otherwise) -> Index {
    return count > at ? std::atol(arguments[at]) : otherwise;
  };
  const Index n = argument(1, 100'000);
  const Index d = argument(2, 1024);
  const Index k = argument(3, 32);
  const Index rounds = argument(4, 5);
  const Index threads = argument(5, pool_threads());
  const std::string folder =
      count > 6 ? arguments[6] : std::filesystem::temp_directory_path().string();

  const CounterRandom random(1, 1);
  std::vector<float> X(static_cast<std::size_t>(n * d));
  for (Index i = 0; i < n * d; ++i) X[i] = static_cast<float>(random.uniform(i, 0));
  const ScratchFile file(folder, X);
  const auto in_memory = dense_source(X.data(), ElementType::float32, n, d, d);
  const auto in_file =
      file_source(file.fd(), 0, {ElementType::float32, false}, n, d, "the bench's file");
  const auto device = cpu::make_passes(cpu::kernels());

  for (Index round = 0; round <= rounds; ++round) {
    const double read = file.read();
    const Cost memory = iteration(*device, *in_memory, k, threads, [] {});
    const Cost from_file = iteration(*device, *in_file, k, threads, [&] { file.leave_cache(); });
    if (round > 0)
      std::printf("%g %g %g %g %g\n", read, memory.wall, from_file.wall, memory.cpu, from_file.cpu);
  }
  stop_pool();
}
