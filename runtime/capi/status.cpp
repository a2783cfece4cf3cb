#include "runtime/capi/capi.h"

namespace cortex {

cortex_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return CORTEX_INVALID_ARGUMENT;
    case ErrorCode::unsupported:
      return CORTEX_UNSUPPORTED;
    case ErrorCode::overflow:
      return CORTEX_OVERFLOW;
    case ErrorCode::io:
      return CORTEX_IO_ERROR;
    case ErrorCode::out_of_memory:
      return CORTEX_OUT_OF_MEMORY;
    case ErrorCode::internal:
      return CORTEX_INTERNAL;
  }
  return CORTEX_INTERNAL;
}

}  // namespace cortex

extern "C" int cortex_version(void) {
  return 10000 * CORTEX_VERSION_MAJOR + 100 * CORTEX_VERSION_MINOR + CORTEX_VERSION_PATCH;
}

extern "C" const char* cortex_status_string(cortex_status status) {
  switch (status) {
    case CORTEX_OK:
      return "success";
    case CORTEX_INVALID_ARGUMENT:
      return "invalid argument: the input is malformed or inconsistent";
    case CORTEX_UNSUPPORTED:
      return "unsupported: this build or machine cannot do what was asked";
    case CORTEX_OVERFLOW:
      return "overflow: sizes exceed 64-bit arithmetic or the address space";
    case CORTEX_IO_ERROR:
      return "input/output error: a file cannot be read";
    case CORTEX_OUT_OF_MEMORY:
      return "out of memory";
    case CORTEX_NOT_FOUND:
      return "not found: no generated kernel for this problem";
    case CORTEX_ABI_MISMATCH:
      return "ABI mismatch: the kernel library was made for another version or is damaged";
    case CORTEX_INTERNAL:
      return "internal error: a bug in cortex";
  }
  return "unknown status";
}
