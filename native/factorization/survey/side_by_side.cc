#include "factorization/survey/side_by_side.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/pool.h"
#include "core/threads.h"

namespace gemmine {
namespace {

// Passes control to and fro between two threads: one of them waits while the other works.
class Baton {
 public:
  // On the thread of the meeting: the other one works until it hands back.
  void hand_over() {
    std::unique_lock lock(mutex_);
    theirs_ = true;
    changed_.notify_one();
    changed_.wait(lock, [&] { return !theirs_; });
  }
  void hand_back() {
    const std::scoped_lock lock(mutex_);
    theirs_ = false;
    changed_.notify_one();
  }
  void await() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return theirs_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool theirs_ = false;
};

// A participant and its thread.
class Seat : public SharedReads {
 public:
  explicit Seat(const Participant& participant, const Job& job)
      : participant_(participant), job_(job) {
    thread_ = start_thread([this] { work(); });
  }
  ~Seat() override {
    while (!ended_) {
      fail(std::make_exception_ptr(Cancelled()));
      go_on();
    }
    thread_.join();
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  void pass(const Pass& pass, const Job&) override {
    request_ = &pass;
    baton_.hand_back();
    baton_.await();
    take_over(job_);
    request_ = nullptr;
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

  // Until its next pass, or its end.
  void go_on() { baton_.hand_over(); }
  void fail(std::exception_ptr failure) { failure_ = std::move(failure); }

  bool ended() const { return ended_; }
  const Participant& participant() const { return participant_; }
  const Pass& request() const { return *request_; }
  std::exception_ptr failure() const { return failure_; }

 private:
  void work() {
    baton_.await();
    take_over(job_);
    try {
      participant_.factorize(this);
    } catch (...) {
      failure_ = std::current_exception();
    }
    ended_ = true;
    baton_.hand_back();
  }

  const Participant& participant_;
  const Job& job_;
  Baton baton_;
  const Pass* request_ = nullptr;
  std::exception_ptr failure_;  // of the pass that it waits for, or its own
  bool ended_ = false;
  std::thread thread_;
};

class Meeting {
 public:
  Meeting(Passes& backend, const RowSource& X, const Job& job)
      : backend_(backend), X_(X), job_(job) {}

  // Returns how many could be seated.
  std::size_t seat(std::span<const Participant> participants) {
    try {
      for (const Participant& each : participants) seats_.emplace_back(each, job_);
    } catch (const Error&) {
      return seats_.size();
    }
    return seats_.size();
  }

  void run() {
    std::exception_ptr failure;
    for (std::vector<Seat*> waiting = all(); !waiting.empty();) {
      std::vector<Seat*> next;
      for (Seat* seat : waiting) {
        seat->go_on();
        if (!seat->ended()) next.push_back(seat);
        if (seat->ended() && !failure) failure = seat->failure();
      }
      take_over(job_);
      waiting = std::move(next);
      if (failure)
        for (Seat* seat : waiting) seat->fail(std::make_exception_ptr(Cancelled()));
      else
        carry_out(waiting);
    }
    if (failure) std::rethrow_exception(failure);
  }

 private:
  std::vector<Seat*> all() {
    std::vector<Seat*> seats;
    for (Seat& seat : seats_) seats.push_back(&seat);
    return seats;
  }

  bool reads_X(const Seat& seat) const { return &seat.request().X == &seat.participant().noisy; }

  bool share_a_read(const Seat& a, const Seat& b) const {
    const Pass& left = a.request();
    const Pass& right = b.request();
    const auto same_rows = [](RowRange one, RowRange other) {
      return one.begin == other.begin && one.count == other.count;
    };
    return reads_X(a) && reads_X(b) && left.loss == right.loss &&
           left.row_weights.data() == right.row_weights.data() &&
           same_rows(rows_of(left), rows_of(right));
  }

  void carry_out(std::vector<Seat*> waiting) {
    while (!waiting.empty()) {
      std::vector<Seat*> together;
      std::vector<Seat*> others;
      for (Seat* seat : waiting)
        (together.empty() || share_a_read(*together.front(), *seat) ? together : others)
            .push_back(seat);
      try {
        read(together);
      } catch (...) {
        for (Seat* seat : waiting) seat->fail(std::current_exception());
        return;
      }
      waiting = std::move(others);
    }
  }

  void read(const std::vector<Seat*>& together) {
    const Pass& first = together.front()->request();
    if (!reads_X(*together.front())) return backend_.pass(first, job_);
    std::vector<Group> groups;
    for (const Seat* seat : together)
      for (const Group& group : seat->request().groups) {
        groups.push_back(group);
        groups.back().noise = seat->participant().noise;
        groups.back().exponent = seat->request().exponent;
      }
    backend_.pass({.X = X_,
                   .exponent = first.exponent,
                   .groups = groups,
                   .loss = first.loss,
                   .row_weights = first.row_weights,
                   .rows = first.rows},
                  job_);
  }

  Passes& backend_;
  const RowSource& X_;
  const Job& job_;
  std::deque<Seat> seats_;
};

}  // namespace

void factorize_side_by_side(Passes& backend, const RowSource& X,
                            std::span<const Participant> participants, const Job& job) {
  std::size_t seated = 0;
  if (participants.size() > 1) {
    Meeting meeting(backend, X, job);
    seated = meeting.seat(participants);
    meeting.run();
  }
  for (const Participant& each : participants.subspan(seated)) each.factorize(nullptr);
}

}  // namespace gemmine
