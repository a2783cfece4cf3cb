// The parts of an explanation. Each is one section of text, indented by two, without its heading.
#pragma once

#include <string>

#include "polyopt/machine/machine.h"
#include "polyopt/model/prediction.h"
#include "polyopt/schedule/program.h"

namespace cortex::explaining {

std::string human_bytes(double bytes);   // "144 KiB"
std::string human_count(int64_t count);  // "231,211,008"

// `a`: the type of A, whose products the peak is of.
std::string machine_text(const Machine& machine, int threads, DataType a);

// The nest as loops and one assignment.
std::string nest_text(const Nest& nest);
// Dependences in words, and what isl and PPL say of the subscripts' ranges.
Result<std::string> dependence_text(const Nest& nest);

// The loops with their ranges, packs where they happen, the kernel call, the epilogue.
std::string loop_tree(const Program& program);
std::string kernel_text(const Program& program);
std::string packs_text(const Program& program);

// Traffic and time by the model, level by level.
std::string traffic_table(const Prediction& prediction);
// Exact working sets of the tiles that each level holds, beside the model's, and how far each tile could
// grow.
Result<std::string> footprint_table(const Program& program, const Machine& machine,
                                    const Prediction& prediction);
// What is touched between two uses of an element, reuse by reuse, and which cache has room for it.
std::string reuse_table(const Program& program, const Machine& machine);
std::string bounds_text(const Program& program, const Machine& machine, const Prediction& prediction,
                        int threads);

}  // namespace cortex::explaining
