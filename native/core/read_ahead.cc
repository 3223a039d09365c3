#include "core/read_ahead.h"

#ifdef __linux__
#include <sys/sendfile.h>
#endif
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/error.h"
#include "core/threads.h"

namespace gemmine {
namespace {

// More than a fast disk transfers while a thread is not scheduled, and less than the least budget
// of a job.
constexpr Index window_bytes = Index{16} << 20;
constexpr Index piece_bytes = Index{1} << 20;  // a job that is aborted waits for one piece
constexpr Index least_bytes = Index{4} << 20;  // less is read before a thread has started
constexpr std::size_t discarded_bytes = 1 << 17;

// Reads bytes for their effect on the cache of the system alone.
class CacheFilling {
 public:
  explicit CacheFilling(int fd) : fd_(fd) {
#ifdef __linux__
    nowhere_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
#endif
  }
  ~CacheFilling() {
    if (nowhere_ >= 0) ::close(nowhere_);
  }
  CacheFilling(const CacheFilling&) = delete;
  CacheFilling& operator=(const CacheFilling&) = delete;

  // Returns the bytes read; 0 at the end of the file, or where it cannot be read.
  Index fill(Index at, Index bytes) {
    for (;;) {
      const ssize_t got = nowhere_ >= 0 ? unread(at, bytes) : discarded(at, bytes);
      if (got >= 0) return got;
      if (errno == EINTR) continue;
      if (nowhere_ < 0) return 0;
      ::close(nowhere_);
      nowhere_ = -1;
    }
  }

 private:
  // Sending pages to /dev/null copies nothing. posix_fadvise(POSIX_FADV_WILLNEED) fills the cache
  // with single pages, which took Linux 6.18 five times as much of the processor.
  ssize_t unread([[maybe_unused]] Index at, [[maybe_unused]] Index bytes) const {
#ifdef __linux__
    off_t offset = at;
    return ::sendfile(nowhere_, fd_, &offset, static_cast<std::size_t>(bytes));
#else
    return -1;
#endif
  }

  ssize_t discarded(Index at, Index bytes) {
    buffer_.resize(discarded_bytes);
    return ::pread(fd_, buffer_.data(), std::min<std::size_t>(buffer_.size(), bytes), at);
  }

  int fd_;
  int nowhere_ = -1;
  std::vector<char> buffer_;
};

}  // namespace

ReadAhead::ReadAhead(const RowsInFile& file, RowRange rows)
    : file_(file),
      end_(file.offset + (rows.begin + rows.count) * file.row_bytes),
      done_(file.offset + rows.begin * file.row_bytes),
      reached_(done_) {
  if (end_ - done_ < least_bytes) return;
  try {
    thread_ = start_thread([this] { run(); });
  } catch (const Error&) {
    // At a limit on threads the rows are read without it.
  }
}

ReadAhead::~ReadAhead() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  moved_.notify_one();
  thread_.join();
}

void ReadAhead::reached(Index row) {
  const Index at = file_.offset + row * file_.row_bytes;
  {
    const std::lock_guard lock(mutex_);
    if (at <= reached_) return;
    reached_ = at;
  }
  moved_.notify_one();
}

void ReadAhead::run() {
  CacheFilling cache(file_.fd);
  std::unique_lock lock(mutex_);
  while (done_ < end_) {
    moved_.wait(lock, [&] { return stopped_ || done_ < reached_ + window_bytes; });
    if (stopped_) return;
    lock.unlock();
    const Index got = cache.fill(done_, std::min(piece_bytes, end_ - done_));
    lock.lock();
    if (got == 0) return;
    done_ += got;
  }
}

}  // namespace gemmine
