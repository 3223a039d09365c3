#pragma once

#include <algorithm>
#include <array>
#include <utility>

namespace gemmine {

// A value with its name in lib/. The table of a kind stands beside its enum; info() lists the
// names, and test/options.test.ts compares them with those of lib/.
template <class Value>
using Named = std::pair<const char*, Value>;

// The name of a value that is in the table.
template <class Value, std::size_t count>
constexpr const char* name_of(const std::array<Named<Value>, count>& table, Value value) {
  return std::ranges::find(table, value, &Named<Value>::second)->first;
}

}  // namespace gemmine
