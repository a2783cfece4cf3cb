#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/backends/onednn_primitive.h"
#include "bench/backends/trial.h"
#include "bench/measure/clock.h"
#include "bench/reference/shapes.h"

namespace cortex::bench::onednn {
namespace {

bool three_dimensional(const ConvProblem& c) { return c.id > 1 || c.od > 1 || c.kd > 1; }

Dims spatial(const ConvProblem& c, int64_t d, int64_t h, int64_t w) {
  return three_dimensional(c) ? Dims{d, h, w} : Dims{h, w};
}

Dims joined(Dims head, const Dims& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

Tensors user_tensors(const Problem& problem) {
  const ConvProblem& c = problem.conv();
  const int64_t icg = c.ic / c.g, ocg = c.oc / c.g;
  Tensors t;
  t.src = strided(joined({c.mb, c.ic}, spatial(c, c.id, c.ih, c.iw)),
                  joined({c.id * c.ih * c.iw * c.ic, 1}, spatial(c, c.ih * c.iw * c.ic, c.iw * c.ic, c.ic)));
  t.dst = strided(joined({c.mb, c.oc}, spatial(c, c.od, c.oh, c.ow)),
                  joined({c.od * c.oh * c.ow * c.oc, 1}, spatial(c, c.oh * c.ow * c.oc, c.ow * c.oc, c.oc)));
  const int64_t tap = icg * ocg;
  Dims dims = joined({ocg, icg}, spatial(c, c.kd, c.kh, c.kw));
  Dims strides = joined({1, ocg}, spatial(c, c.kh * c.kw * tap, c.kw * tap, tap));
  if (c.g > 1) {
    dims.insert(dims.begin(), c.g);
    strides.insert(strides.begin(), c.kd * c.kh * c.kw * tap);
  }
  t.weights = strided(dims, strides);
  if (problem.epilogue.bias) t.bias = strided({c.oc}, {1});
  return t;
}

Desc tagged(const Desc& like, DataType type, dnnl::memory::format_tag tag) {
#if DNNL_VERSION_MAJOR >= 3
  return Desc(like.get_dims(), type_of(type), tag);
#else
  return Desc(like.dims(), type_of(type), tag);
#endif
}

struct Candidate {
  const char* name;
  Desc src, dst;
};

// The three activation layouts oneDNN has fast code for; "any" lets it choose.
std::vector<Candidate> candidates(const Problem& problem, const Tensors& user, Isa isa) {
  const ConvProblem& c = problem.conv();
  const DataType src = problem.src, dst = problem.dst;
  using tag = dnnl::memory::format_tag;
  const bool deep = three_dimensional(c);
  const tag plain = deep ? tag::ndhwc : tag::nhwc;
  const tag blocked =
      isa >= Isa::avx512 ? (deep ? tag::nCdhw16c : tag::nChw16c) : (deep ? tag::nCdhw8c : tag::nChw8c);
  std::vector<Candidate> all = {{"any", with_any_layout(user.src, src), with_any_layout(user.dst, dst)},
                                {"nhwc", tagged(user.src, src, plain), tagged(user.dst, dst, plain)},
                                {"blocked", tagged(user.src, src, blocked), tagged(user.dst, dst, blocked)}};
  // Few channels (a first layer): plain source, blocked destination.
  if (c.ic < 16)
    all.push_back({"nhwc to blocked", tagged(user.src, src, plain), tagged(user.dst, dst, blocked)});
  return all;
}

// The plain loops oneDNN falls back to where it has no code for a layout.
bool is_reference(const std::string& implementation) { return implementation.rfind("ref", 0) == 0; }

}  // namespace

Result<std::unique_ptr<Instance>> create_conv(Device& device, const Request& request,
                                              const Operands& operands) {
  if (Status s = has_exact_products(*request.problem, request.isa); !s) return s.error();
  const ConvProblem& c = request.problem->conv();
  const Tensors user = user_tensors(*request.problem);
  const ConvGeometry geometry{spatial(c, c.sd, c.sh, c.sw), spatial(c, c.dd, c.dh, c.dw),
                              spatial(c, c.pd, c.ph, c.pw), spatial(c, c.pd_r, c.ph_r, c.pw_r)};
  std::unique_ptr<PrimitiveInstance> best;
  double best_ns = 1e300;
  std::string reason = "no implementation";
  std::vector<std::string> tried;
  for (const Candidate& candidate : candidates(*request.problem, user, request.isa)) {
    try {
      InstanceInfo info;
      const double start = now_ns();
      const auto pd =
          describe_conv(device.engine, candidate.src, with_any_layout(user.weights, request.problem->wei),
                        user.bias, candidate.dst, geometry, attributes(*request.problem, operands));
      const dnnl::convolution_forward primitive(pd);
      info.create_ns = now_ns() - start;
      info.kernel = pd.impl_info_str();
      if (best && is_reference(info.kernel)) continue;  // thousands of times slower: not worth a trial
      info.isa = effective_isa();
      info.layout = candidate.name;
      auto bound = std::make_unique<Bound>(device, primitive, user, pd.src_desc(), pd.weights_desc(),
                                           pd.dst_desc(), *request.problem, operands);
      info.pack_ns = bound->pack_ns();
      const double took = trial_ns([&] { bound->execute(); });
      tried.push_back(fmt::format("{} {:.0f} us", candidate.name, took * 1e-3));
      if (took >= best_ns) continue;
      best_ns = took;
      best = std::make_unique<PrimitiveInstance>(std::move(bound), std::move(info));
    } catch (const dnnl::error& e) {
      reason = e.what();
    } catch (const std::bad_alloc&) {
      reason = "out of memory";
    }
  }
  if (!best) return unsupported(fmt::format("oneDNN refuses the convolution: {}", reason));
  best->describe_trial(fmt::format("{}", fmt::join(tried, ", ")));
  return std::unique_ptr<Instance>(std::move(best));
}

}  // namespace cortex::bench::onednn
