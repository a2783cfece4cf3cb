#include "polyopt/isl/context.h"

#include <fmt/format.h>
#include <isl/options.h>

namespace cortex::polyhedral {

Context::Context(unsigned long max_operations) : ctx_(isl_ctx_alloc()), max_operations_(max_operations) {
  isl_options_set_on_error(ctx_, ISL_ON_ERROR_CONTINUE);
  isl_ctx_set_max_operations(ctx_, max_operations);
}

Context::~Context() { isl_ctx_free(ctx_); }

Set Context::set(const std::string& text) const { return Set(isl_set_read_from_str(ctx_, text.c_str())); }

Map Context::map(const std::string& text) const { return Map(isl_map_read_from_str(ctx_, text.c_str())); }

Error Context::refusal(const std::string& what) const {
  const isl_error kind = isl_ctx_last_error(ctx_);
  const char* message = isl_ctx_last_error_msg(ctx_);
  Error error =
      internal_error(fmt::format("{}: isl failed: {}", what, message ? message : "no reason given"));
  if (kind == isl_error_quota) {
    error =
        unsupported(fmt::format("{}: gave up after {} isl operations; use a schedule with fewer loops or a "
                                "smaller problem",
                                what, max_operations_));
  } else if (kind == isl_error_alloc) {
    error = {ErrorCode::out_of_memory, fmt::format("{}: out of memory", what)};
  }
  isl_ctx_reset_error(ctx_);
  isl_ctx_reset_operations(ctx_);
  return error;
}

int64_t coordinate(const Point& point, int position) {
  const Val v(isl_point_get_coordinate_val(point.get(), isl_dim_set, position));
  return isl_val_get_num_si(v.get());
}

}  // namespace cortex::polyhedral
