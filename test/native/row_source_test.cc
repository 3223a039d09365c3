// Sources of rows: conversions, reads and errors.
#include <algorithm>
#include <bit>
#include <cmath>

#include "core/checksum.h"
#include "core/float16.h"
#include "core/owned_rows.h"
#include "core/row_block.h"
#include "fixtures.h"

namespace {

using namespace test;

void sources_widen_what_they_hold() {
  RowScratch scratch;
  const auto row = [&](const RowSource& source) {
    const RowBlock block = source.block(1, 1, scratch);
    return std::vector<double>(block.dense.row(0), block.dense.row(0) + source.cols());
  };
  const std::vector<double> doubles = {9, 9, 0.1, -2.5};
  const std::vector<std::int8_t> signed_bytes = {9, 9, -128, 127};
  const std::vector<std::uint8_t> bytes = {9, 9, 0, 255};
  const std::vector<std::uint16_t> halves = {0, 0, 0x3555, 0x8001};
  close(row(*dense_source(doubles.data(), ElementType::float64, 2, 2, 2)), {0.1f, -2.5}, 0, "f64");
  close(row(*dense_source(signed_bytes.data(), ElementType::int8, 2, 2, 2)), {-128, 127}, 0, "i8");
  close(row(*dense_source(bytes.data(), ElementType::uint8, 2, 2, 2)), {0, 255}, 0, "u8");
  close(row(*dense_source(halves.data(), ElementType::float16, 2, 2, 2)),
        {0.333251953125, -0x1p-24}, 0, "f16");
  const std::vector<std::uint16_t> brains = {0, 0, 0x3EAB, 0x8001};
  close(row(*dense_source(brains.data(), ElementType::bfloat16, 2, 2, 2)), {0.333984375, -0x1p-133},
        0, "bf16");
  const std::vector<std::int64_t> wide = {9, 9, (1LL << 53), -16777217};
  close(row(*dense_source(wide.data(), ElementType::int64, 2, 2, 2)), {0x1p53, -16777216}, 0,
        "i64, rounded once");
  const std::vector<std::uint32_t> words = {9, 9, 0xFFFFFFFF, 7};
  close(row(*dense_source(words.data(), ElementType::uint32, 2, 2, 2)), {0x1p32, 7}, 0, "u32");
  const std::vector<std::uint8_t> truths = {9, 9, 0, 5};
  close(row(*dense_source(truths.data(), ElementType::boolean, 2, 2, 2)), {0, 1}, 0, "bool");

  const TemporaryFile file("head" + bytes_of(doubles));
  const auto from_file = file_source(file.descriptor(), 4, ElementType::float64, 2, 2, "x.npy");
  close(row(*from_file), {0.1f, -2.5}, 0, "file");
  const auto short_file = file_source(file.descriptor(), 12, ElementType::float64, 2, 2, "x.npy");
  test::throws<Error>(
      [&] { row(*short_file); },
      [](const Error& error) {
        test::check(error.code == ErrorCode::file, "its code");
        test::check(std::string(error.what()) == "x.npy: expected 44 bytes, the file ends after 36",
                    error.what());
      },
      "a short file");
}

void sources_swap_the_bytes_of_the_other_order() {
  RowScratch scratch;
  const std::string big_endian("\x3F\x80\0\0\xC0\x20\0\0\x40\0\0\0\0\0\0\0", 16);
  const TemporaryFile file(big_endian);
  const auto floats =
      file_source(file.descriptor(), 0, {ElementType::float32, true}, 2, 2, "x.npy");
  const RowBlock block = floats->block(0, 2, scratch);
  close({block.dense.data, block.dense.data + 4}, {1, -2.5, 2, 0}, 0, "f32");
  test::near(floats->entry(0, 1), -2.5, 0, "an entry");
  const auto shorts = file_source(file.descriptor(), 0, {ElementType::int16, true}, 2, 4, "x.npy");
  test::near(shorts->block(1, 1, scratch).dense(0, 0), 0x4000, 0, "i16");
}

// Two inexact integers: the first is told, with its place and all digits.
void sources_refuse_integers_that_float64_does_not_hold() {
  RowScratch scratch;
  const std::vector<std::int64_t> values = {1, 2, 3, 4, -(1LL << 53) - 1, (1LL << 60) + 1};
  const auto source = dense_source(values.data(), ElementType::int64, 3, 2, 2);
  source->block(0, 2, scratch);
  test::throws<InvalidEntry>([&] { source->block(1, 2, scratch); },
                             [](const InvalidEntry& error) {
                               test::check(error.row == 2 && error.column == 0, "its place");
                               test::check(error.digits == "-9007199254740993", error.digits);
                             },
                             "int64");
  const std::vector<std::uint64_t> unsigned_values = {1ULL << 53, ~0ULL};
  test::throws<InvalidEntry>(
      [&] {
        dense_source(unsigned_values.data(), ElementType::uint64, 1, 2, 2)->block(0, 1, scratch);
      },
      [](const InvalidEntry& error) {
        test::check(error.digits == "18446744073709551615", error.digits);
      },
      "uint64");
}

void sources_tell_what_they_were_given() {
  const std::vector<double> doubles = {1, 2, 1e300, -0.1};
  const std::vector<float> floats = {1, 2, 3, 0.1f};
  const std::vector<std::int8_t> bytes = {1, 2, 3, -7};
  const std::vector<std::uint16_t> halves = {0, 0, 0, 0x3555};
  const TemporaryFile file("head" + bytes_of(doubles));
  const auto in_memory = dense_source(doubles.data(), ElementType::float64, 2, 2, 2);
  const auto in_file = file_source(file.descriptor(), 4, ElementType::float64, 2, 2, "x.npy");
  for (const RowSource* source : {in_memory.get(), in_file.get()}) {
    test::near(source->entry(1, 1), -0.1, 0, "a float64 is not rounded");
    const InvalidEntry error = not_finite(*source, 1, 0);
    test::check(error.row == 1 && error.column == 0 && error.value == 1e300, "its place and value");
    test::check(error.expected == "a number within float32's range", error.expected);
  }
  test::near(dense_source(floats.data(), ElementType::float32, 2, 2, 2)->entry(1, 1), 0.1f, 0,
             "f32");
  test::near(dense_source(bytes.data(), ElementType::int8, 2, 2, 2)->entry(1, 1), -7, 0, "i8");
  test::near(dense_source(halves.data(), ElementType::float16, 2, 2, 2)->entry(1, 1),
             0.333251953125, 0, "f16");
  const std::vector<double> indptr = {0, 0, 2};
  const std::vector<std::int32_t> indices = {0, 1};
  const std::vector<float> values = {5, -INFINITY};
  const auto csr = sparse_source(indptr.data(), indices.data(), values.data(), 2, 2);
  test::near(csr->entry(1, 0), 5, 0, "csr");
  test::near(csr->entry(0, 0), 0, 0, "an entry that csr does not hold");
  test::check(not_finite(*csr, 1, 1).expected == "a finite number", "an infinite entry");
}

void owned_rows_are_what_they_were_taken_from() {
  std::vector<double> apart = {1, 2, -1, 3, 4, -1, 1e300, 6};  // rows of 2, 3 apart
  OwnedRows owned({apart.data(), ElementType::float64, 3, 2, 3}, "corpus");
  owned.take(2, 1);
  owned.take(0, 2);
  std::ranges::fill(apart, 0);
  RowScratch scratch;
  const HostView<const float> rows = owned.block(1, 2, scratch).dense;
  test::check(rows(0, 0) == 3 && rows(0, 1) == 4 && rows(1, 1) == 6, "the rows");
  test::check(owned.entry(2, 0) == 1e300, "a float64 is not rounded");
  test::check(owned.bytes() == 48, "nothing between the rows");
}

void checksums_tell_any_change() {
  constexpr Index rows = 5, cols = 33;
  std::vector<float> values(rows * cols);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7);
  const auto sum = [&] { return checksum({values.data(), rows, cols, cols}); };
  const std::uint64_t whole = sum();
  for (float& value : values)
    for (int bit = 0; bit < 32; ++bit) {
      const float kept = value;
      value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ 1u << bit);
      if (sum() == whole) test::check(false, "bit " + std::to_string(bit));
      value = kept;
    }
  std::rotate(values.begin(), values.begin() + cols, values.end());
  test::check(sum() != whole, "rows that change places");
}

void halves_are_exact() {
  for (std::uint32_t h = 0; h < 0x10000; ++h) {
    const int exponent = h >> 10 & 31;
    const double fraction = h & 1023;
    double expected =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) expected = fraction == 0 ? INFINITY : NAN;
    if (h & 0x8000) expected = -expected;
    const float actual = widen_float16(static_cast<std::uint16_t>(h));
    const bool same = std::isnan(expected)
                          ? std::isnan(actual)
                          : actual == expected && std::signbit(actual) == std::signbit(expected);
    test::check(same, "half " + std::to_string(h));
  }
}

}  // namespace

int main() {
  halves_are_exact();
  sources_widen_what_they_hold();
  sources_swap_the_bytes_of_the_other_order();
  sources_refuse_integers_that_float64_does_not_hold();
  sources_tell_what_they_were_given();
  owned_rows_are_what_they_were_taken_from();
  checksums_tell_any_change();
  return test::report("row sources");
}
