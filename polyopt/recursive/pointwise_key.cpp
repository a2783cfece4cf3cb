#include "polyopt/recursive/pointwise_key.h"

#include <fmt/format.h>

namespace cortex::recursive {
namespace {

std::string text(const Pointwise& pointwise, const Stream& s) {
  switch (row_access(s)) {
    case RowAccess::node_strided:
      return "n";
    case RowAccess::node_pointed:
      return "np";
    case RowAccess::edge_strided:
      return "e";
    case RowAccess::edge_pointed:
      return "ep";
    case RowAccess::block:
      return fmt::format("b{}", s.width);
    case RowAccess::scratch:
      break;
  }
  return fmt::format("t{}", &s - pointwise.rows.data());
}

std::string text(const cortex_cell_step& s) {
  return fmt::format("{} {} {}={},{},{},{},{} {:a} {:a}", s.op, s.activation, s.dst, s.a, s.b, s.c, s.d, s.e,
                     s.alpha, s.beta);
}

}  // namespace

RowAccess row_access(const Stream& stream) {
  switch (stream.from) {
    case From::parameter:
    case From::own:
    case From::row:
      return RowAccess::node_strided;
    case From::word:
    case From::features:
    case From::hoisted:
    case From::slot:
    case From::selected:
      return RowAccess::node_pointed;
    case From::panel:
      return RowAccess::node_strided;
    case From::edge:
      return RowAccess::edge_strided;
    case From::each:
      return RowAccess::edge_pointed;
    case From::block:
      return RowAccess::block;
    case From::scratch:
      return RowAccess::scratch;
  }
  return RowAccess::scratch;
}

bool is_per_edge(RowAccess access) {
  return access == RowAccess::edge_strided || access == RowAccess::edge_pointed || access == RowAccess::block;
}

std::string pointwise_key(const Pointwise& pointwise) {
  std::string key = fmt::format("{}/{}:", pointwise.width, pointwise.quantum);
  for (const Stream& s : pointwise.rows) key += " " + text(pointwise, s);
  for (const Pointwise::Segment& segment : pointwise.segments) {
    key += segment.edges ? " | each child" : " | node";
    for (const cortex_cell_step& s : segment.steps) key += "; " + text(s);
    if (segment.childless.empty()) continue;
    key += " | without children";
    for (const cortex_cell_step& s : segment.childless) key += "; " + text(s);
  }
  return key;
}

}  // namespace cortex::recursive
