// Who reads whom, as command lines say it.
#pragma once

#include <string>
#include <vector>

#include "generators/compress/layers.h"
#include "graph/compress/network.h"
#include "support/result.h"

namespace cortex {

// `chain`: every layer reads the one before. `follows`: texts "READER:PRODUCER". Refuses unknown names,
// layers that stand for several, and what shared_orders refuses.
Result<std::vector<SharedOrder>> read_orders(const std::vector<Layer>& layers, bool chain,
                                             const std::vector<std::string>& follows);

}  // namespace cortex
