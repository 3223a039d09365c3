#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <unordered_map>
#include <utility>

namespace gemmine::binding {

struct PreparedCorpus;

// Corpora of the process that are on their way to another thread, by number. A number is of use
// once, and while a handle of the corpus is held.
class SharedCorpora {
 public:
  std::uint64_t add(const std::shared_ptr<const PreparedCorpus>& corpus) {
    const std::lock_guard lock(mutex_);
    std::erase_if(corpora_, [](const auto& each) { return each.second.expired(); });
    std::uint64_t number = 0;
    do {
      number = numbers_();
    } while (!corpora_.emplace(number, corpus).second);
    return number;
  }

  // Null for an unknown number, one that was taken, and a corpus that is freed.
  std::shared_ptr<const PreparedCorpus> take(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    const auto found = corpora_.find(number);
    if (found == corpora_.end()) return nullptr;
    const auto corpus = found->second.lock();
    corpora_.erase(found);
    return corpus;
  }

 private:
  std::mutex mutex_;
  // Begins with the time, so that a handle of another process names no corpus of this one.
  // (std::random_device asks for a newer glibc.)
  std::mt19937_64 numbers_{static_cast<std::uint64_t>(
      std::chrono::high_resolution_clock::now().time_since_epoch().count())};
  std::unordered_map<std::uint64_t, std::weak_ptr<const PreparedCorpus>> corpora_;
};

}  // namespace gemmine::binding
