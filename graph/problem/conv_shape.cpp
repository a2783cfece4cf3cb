#include "graph/problem/conv_shape.h"

#include <fmt/format.h>

namespace cortex {
namespace {

constexpr std::string_view op = "conv";

constexpr std::string_view field_names[conv_field_count] = {
    "g",  "mb", "ic", "oc",              //
    "id", "od", "kd", "sd", "pd", "dd",  //
    "ih", "oh", "kh", "sh", "ph", "dh",  //
    "iw", "ow", "kw", "sw", "pw", "dw",
};

// One axis, as given and then complete.
struct Axis {
  std::array<ConvField, axis_fields> field;
  int first = 0;  // index of field[0] among all, for names
  int64_t pad_behind = 0;

  int64_t operator[](AxisFieldId f) const { return field[f].value; }
  bool given(AxisFieldId f) const { return field[f].column != 0; }
  std::string_view name(AxisFieldId f) const { return field_names[first + f]; }
  // Input elements one window spans; below 2^62 as every size is below 2^31.
  int64_t span() const { return (field[axis_kernel].value - 1) * (field[axis_dilation].value + 1) + 1; }
  std::string shape() const {
    std::string text = fmt::format("{} {}, {} {}, {} {}, {} {}", name(axis_in), field[axis_in].value,
                                   name(axis_kernel), field[axis_kernel].value, name(axis_stride),
                                   field[axis_stride].value, name(axis_pad), field[axis_pad].value);
    if (field[axis_dilation].value != 0) {
      text += fmt::format(", {} {}", name(axis_dilation), field[axis_dilation].value);
    }
    return text;
  }
};

// Takes part: any size, or a stride, pad or dilation that is not the default, is given.
bool takes_part(const Axis& axis) {
  return axis.given(axis_in) || axis.given(axis_out) || axis.given(axis_kernel) ||
         (axis.given(axis_stride) && axis[axis_stride] != 1) ||
         (axis.given(axis_pad) && axis[axis_pad] != 0) ||
         (axis.given(axis_dilation) && axis[axis_dilation] != 0);
}

// The column to point at: the field's own, or the first given one of its axis.
int column_of(const Axis& axis, AxisFieldId f, Token token) {
  if (axis.given(f)) return axis.field[f].column;
  for (const ConvField& field : axis.field) {
    if (field.column != 0) return field.column;
  }
  return token.column;
}

Status complete_axis(Axis& axis, Token token) {
  const auto refuse = [&](AxisFieldId f, std::string what, ErrorCode code = ErrorCode::invalid_argument) {
    return refusal(op, token, column_of(axis, f, token), what, code);
  };
  for (AxisFieldId f : {axis_in, axis_kernel}) {
    if (!axis.given(f)) {
      return refuse(f, fmt::format("{} is missing: an axis needs its input and kernel size, add {}",
                                   axis.name(f), axis.name(f)));
    }
  }
  if (!axis.given(axis_stride)) axis.field[axis_stride].value = 1;
  for (AxisFieldId f : {axis_in, axis_out, axis_kernel, axis_stride}) {
    if ((axis.given(f) || f == axis_stride) && axis[f] < 1) {
      return refuse(f, fmt::format("{} is {}: it must be at least 1", axis.name(f), axis[f]));
    }
  }
  const int64_t in = axis[axis_in], stride = axis[axis_stride], span = axis.span();
  if (!axis.given(axis_out)) {
    const int64_t padded = in + 2 * axis[axis_pad];
    if (span > padded) {
      return refuse(axis_kernel,
                    fmt::format("no window of {} elements fits {} with padding: {} leaves no output; "
                                "correct {} or {}",
                                span, padded, axis.shape(), axis.name(axis_kernel), axis.name(axis_pad)));
    }
    axis.field[axis_out].value = (padded - span) / stride + 1;
    if (axis[axis_out] > conv_dim_max) {
      return refuse(axis_pad,
                    fmt::format("{} would be {}, above the largest size {}", axis.name(axis_out),
                                axis[axis_out], conv_dim_max),
                    ErrorCode::overflow);
    }
  }
  const int64_t needed = (axis[axis_out] - 1) * stride - in + span;  // padding of both ends
  if (!axis.given(axis_pad) && axis.given(axis_out)) axis.field[axis_pad].value = needed > 0 ? needed / 2 : 0;
  const int64_t pad = axis[axis_pad];
  axis.pad_behind = needed - pad;
  const auto inconsistent = [&] {
    const int64_t room = in + 2 * pad - span;
    const std::string found = room < 0 ? "no output" : std::to_string(room / stride + 1);
    return refuse(axis_out, fmt::format("{} is {} but {} give {}: correct {} or {}", axis.name(axis_out),
                                        axis[axis_out], axis.shape(), found, axis.name(axis_out),
                                        axis.name(axis.given(axis_pad) ? axis_pad : axis_stride)));
  };
  // A whole stride of unused input, or a last window that sees padding alone, is never what was meant.
  if (axis.pad_behind <= -stride) return inconsistent();
  if (axis.pad_behind >= span && axis.pad_behind > pad) return inconsistent();
  return Status::success();
}

// An axis left out repeats the one before it; a value given for it all the same must agree.
Status repeat_axis(const Axis& from, Axis& to, Token token) {
  for (int i = 0; i < axis_fields; ++i) {
    const auto f = static_cast<AxisFieldId>(i);
    if (to.given(f) && to[f] != from[f]) {
      return refusal(
          op, token, to.field[f].column,
          fmt::format("{} is {} but {} is {}, and without {} and {} the one repeats the other: add those two",
                      to.name(f), to[f], from.name(f), from[f], to.name(axis_in), to.name(axis_kernel)));
    }
    to.field[f].value = from[f];
  }
  to.pad_behind = from.pad_behind;
  return Status::success();
}

Status complete_axes(Axis& d, Axis& h, Axis& w, Token token) {
  const bool has_d = takes_part(d), has_h = takes_part(h), has_w = takes_part(w);
  if (!has_d && !has_h && !has_w) {
    return refusal(op, token, token.column, "no input size: give ih and kh, or iw and kw for one dimension");
  }
  if (has_d && has_h != has_w) {
    return refusal(op, token, token.column,
                   fmt::format("d and {} are given but not {}: give {} too, or d alone for a cube",
                               has_h ? "h" : "w", has_h ? "w" : "h", has_h ? "iw, kw" : "ih, kh"));
  }
  for (Axis* axis : {&d, &h, &w}) {
    if (!takes_part(*axis)) continue;
    if (Status s = complete_axis(*axis, token); !s) return s;
  }
  const auto unit = [](Axis& axis) {
    for (AxisFieldId f : {axis_in, axis_out, axis_kernel, axis_stride}) axis.field[f].value = 1;
  };
  if (!has_d) unit(d);
  if (!has_h) {
    if (has_d) {
      if (Status s = repeat_axis(d, h, token); !s) return s;
    } else {
      unit(h);
    }
  }
  if (!has_w) return repeat_axis(h, w, token);
  return Status::success();
}

}  // namespace

std::string_view conv_field_name(int field) { return field_names[field]; }

Result<ConvProblem> complete_conv(const ConvFields& fields, Token token) {
  ConvProblem p;
  p.g = fields[conv_g].column != 0 ? fields[conv_g].value : 1;
  p.mb = fields[conv_mb].column != 0 || fields[conv_mb].value != 0 ? fields[conv_mb].value : 2;
  p.ic = fields[conv_ic].value;
  p.oc = fields[conv_oc].value;
  for (int f : {conv_ic, conv_oc}) {
    if (fields[f].column == 0) {
      return refusal(op, token, token.column, fmt::format("{0} is missing: add {0}", field_names[f]));
    }
  }
  const int64_t sizes[] = {p.g, p.mb, p.ic, p.oc};
  for (int f : {conv_g, conv_mb, conv_ic, conv_oc}) {
    if (sizes[f] < 1) {
      return refusal(op, token, fields[f].column,
                     fmt::format("{} is {}: it must be at least 1", field_names[f], sizes[f]));
    }
  }
  for (int f : {conv_ic, conv_oc}) {
    if (sizes[f] % p.g != 0) {
      return refusal(op, token, fields[f].column,
                     fmt::format("{} is {}, not a multiple of g {}: {} counts the channels of all groups",
                                 field_names[f], sizes[f], p.g, field_names[f]));
    }
  }
  Axis axes[3];
  for (int a = 0; a < 3; ++a) {
    axes[a].first = conv_axes + a * axis_fields;
    for (int f = 0; f < axis_fields; ++f) axes[a].field[f] = fields[axes[a].first + f];
  }
  auto& [d, h, w] = axes;
  if (Status s = complete_axes(d, h, w, token); !s) return s.error();
  const auto assign = [](const Axis& axis, int64_t& in, int64_t& out, int64_t& kernel, int64_t& stride,
                         int64_t& pad, int64_t& dilation, int64_t& pad_behind) {
    in = axis[axis_in], out = axis[axis_out], kernel = axis[axis_kernel], stride = axis[axis_stride];
    pad = axis[axis_pad], dilation = axis[axis_dilation], pad_behind = axis.pad_behind;
  };
  assign(d, p.id, p.od, p.kd, p.sd, p.pd, p.dd, p.pd_r);
  assign(h, p.ih, p.oh, p.kh, p.sh, p.ph, p.dh, p.ph_r);
  assign(w, p.iw, p.ow, p.kw, p.sw, p.pw, p.dw, p.pw_r);
  return p;
}

}  // namespace cortex
