// A schedule and its prediction as numbers that mean the same for any problem: a forest learns from these.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "polyopt/model/prediction.h"
#include "polyopt/schedule/schedule.h"

namespace cortex {

inline constexpr int ranker_levels = 3;  // cache levels with features of their own
inline constexpr int ranker_features = 12 + ranker_levels * 8;
using RankerFeatures = std::array<float, ranker_features>;

// Names in the order of the features; a trained file carries them, so that one made for others is refused.
const std::vector<std::string>& ranker_feature_names();

// `prediction` has positive cycles, `schedule` a kernel of the catalogue.
RankerFeatures ranker_features_of(const Schedule& schedule, const Prediction& prediction);

}  // namespace cortex
