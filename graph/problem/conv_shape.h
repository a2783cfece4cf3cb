// The sizes a convolution descriptor leaves out, and whether those it gives fit each other.
//
// As benchdnn deduces them: mb is 2, strides 1, dilations 0 (dense); an axis (d, h, w) takes part when
// any of its sizes is given, and then needs its input and its kernel; left-out inner axes repeat the
// one given (cubic, square); only w: one spatial dimension. Output left out: padding is 0 unless given
// and applies to both ends. Output given, padding left out: half of what the output needs, rounded
// down, in front. The padding behind is always what the output needs; negative where input is unused.
#pragma once

#include <array>

#include "graph/problem/problem.h"
#include "graph/problem/text.h"

namespace cortex {

inline constexpr int64_t conv_dim_max = 2147483647;

struct ConvField {
  int64_t value = 0;
  int column = 0;  // 0: not given
};

// Four fields that have no axis, then input, output, kernel, stride, pad, dilation of d, h, w each.
enum ConvFieldId : int { conv_g, conv_mb, conv_ic, conv_oc, conv_axes };
enum AxisFieldId : int { axis_in, axis_out, axis_kernel, axis_stride, axis_pad, axis_dilation, axis_fields };
inline constexpr int conv_field_count = conv_axes + 3 * axis_fields;
std::string_view conv_field_name(int field);  // "g", "mb", ... "id", "ih", ... "dw"

using ConvFields = std::array<ConvField, conv_field_count>;

// Fills in and checks; messages point at the field to correct.
Result<ConvProblem> complete_conv(const ConvFields& fields, Token token);

}  // namespace cortex
