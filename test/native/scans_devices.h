#pragma once

#include <string>

#include "backend/registry.h"
#include "check.h"
#include "chosen_device.h"
#include "emulated_scans.h"
#include "guarded_scans.h"
#include "trial_scans.h"

namespace test {

// Runs a suite on the CPU in its coarsest and its finest format, on an emulated GPU, and on memory
// that host code cannot touch; there on fewer scenes, because its naive loops are slow.
template <class Suite>
void each_scans(Index scenes, const Suite& suite) {
  on_chosen_device([&](const std::string& name) { suite(gemmine::scans_for(name), name, scenes); });
  for (const auto* format : {&gemmine::cpu::first_format(), &gemmine::cpu::finest_format()}) {
    TrialScans scans;
    scans.format = format;
    suite(scans, std::string("cpu, ") + format->name, scenes);
  }
  on_emulated_scans(scenes, suite);
  if (thread_sanitizer) return;  // naive loops use one thread
  GuardedScans guarded;
  suite(guarded, std::string("guarded memory"), (scenes + 4) / 5);
}

}  // namespace test
