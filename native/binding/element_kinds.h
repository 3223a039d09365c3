#pragma once

#include <napi.h>

#include "core/elements.h"

namespace gemmine::binding {

// An element type with its name in lib/ and its typed array; info() lists them.
struct ElementKind {
  const char* name;
  ElementType type;
  napi_typedarray_type array;
};

inline constexpr ElementKind element_kinds[] = {
    {"float32", ElementType::float32, napi_float32_array},
    {"float64", ElementType::float64, napi_float64_array},
    {"float16", ElementType::float16, napi_uint16_array},
    {"bfloat16", ElementType::bfloat16, napi_uint16_array},
    {"int8", ElementType::int8, napi_int8_array},
    {"uint8", ElementType::uint8, napi_uint8_array},
    {"int16", ElementType::int16, napi_int16_array},
    {"uint16", ElementType::uint16, napi_uint16_array},
    {"int32", ElementType::int32, napi_int32_array},
    {"uint32", ElementType::uint32, napi_uint32_array},
    {"int64", ElementType::int64, napi_bigint64_array},
    {"uint64", ElementType::uint64, napi_biguint64_array},
    {"bool", ElementType::boolean, napi_uint8_array},
};

}  // namespace gemmine::binding
