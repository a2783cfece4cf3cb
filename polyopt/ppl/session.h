// The only way in to PPL here.
#pragma once

#define PPL_NO_AUTOMATIC_INITIALIZATION
#include <ppl.hh>

#include <mutex>

namespace cortex {

// Serialises the use of PPL, which is not thread-safe. PPL switches the FPU's rounding mode when it
// starts; integer programs are exact and need none of that, and the rest of the process must not see it.
class PplSession {
 public:
  PplSession() : lock_(mutex()) { static const Library library; }

 private:
  struct Library {
    Library() {
      Parma_Polyhedra_Library::initialize();
      Parma_Polyhedra_Library::restore_pre_PPL_rounding();
    }
    ~Library() { Parma_Polyhedra_Library::finalize(); }
  };
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  std::lock_guard<std::mutex> lock_;
};

}  // namespace cortex
