#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/matrix.h"

namespace gemmine {

// Rows in a file, without gaps.
struct RowsInFile {
  int fd;
  Index offset;  // of row 0, in bytes
  Index row_bytes;
};

// Brings rows of a file into the cache of the system ahead of the threads that read them in about
// ascending order. (The system's own reading ahead takes those reads for reads in any order, since
// each thread is in another block.) It has one thread, which mostly waits for the file, and none
// where the system refuses it. Failures are left to the threads that read.
class ReadAhead {
 public:
  // Borrows the descriptor.
  ReadAhead(const RowsInFile& file, RowRange rows);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // The rows before `row` are being read. Called by any thread.
  void reached(Index row);

 private:
  void run();

  const RowsInFile file_;
  const Index end_;  // in bytes, as the two below
  Index done_;       // of the thread alone
  std::mutex mutex_;
  std::condition_variable moved_;
  Index reached_;         // guarded by mutex_
  bool stopped_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace gemmine
