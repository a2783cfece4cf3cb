#include "bench/report/csv.h"

#include <fmt/format.h>

namespace cortex::bench {
namespace {

// RFC 4180: quoted when it must be, quotes doubled.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

std::string to_csv(const std::vector<Row>& rows) {
  std::string text =
      "problem,name,count,op,dt,weights,backend,version,isa,threads,median_ns,min_ns,samples,create_ns,pack_"
      "ns,"
      "gflops,percent_of_peak,error_ratio,status,impl,kernel,layout,handling,cold\n";
  for (const Row& r : rows) {
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                        field(r.problem), field(r.name), r.count, r.op, r.dt, r.weights, r.backend,
                        field(r.version), r.isa, r.threads, r.median_ns, r.min_ns, r.samples_ns.size(),
                        r.create_ns, r.pack_ns, r.gflops, r.percent_of_peak,
                        r.error_ratio < 0 ? std::string() : fmt::format("{}", r.error_ratio), r.status,
                        field(r.impl), field(r.kernel), field(r.layout), r.handling, r.cold);
  }
  return text;
}

}  // namespace cortex::bench
