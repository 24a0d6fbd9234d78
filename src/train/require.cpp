#include "train/require.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace sluice {

namespace {

void require_schedule(const Schedule& schedule, int epochs) {
  const auto is_factor = [](double x) { return x >= 0 && x <= 1; };
  require(schedule.name == "constant" || schedule.name == "linear" || schedule.name == "cosine" ||
              schedule.name == "one_cycle" || schedule.name == "steps",
          "schedule.name", one_line(schedule.name), "constant, linear, cosine, one_cycle or steps");
  require(schedule.warmup >= 0, "schedule.warmup", schedule.warmup, "0 or more");
  if (schedule.warmup >= 1 && schedule.warmup >= epochs) {
    throw user_error("train",
                     "schedule.warmup is {} epochs, of {}: must be shorter than each stage, or a "
                     "share below 1",
                     schedule.warmup, epochs);
  }
  require(is_factor(schedule.start_factor), "schedule.start_factor", schedule.start_factor,
          "between 0 and 1");
  require(is_factor(schedule.end_factor), "schedule.end_factor", schedule.end_factor,
          "between 0 and 1");
  require(schedule.gamma > 0 && schedule.gamma <= 1, "schedule.gamma", schedule.gamma,
          "above 0 and at most 1");
  for (const double place : schedule.milestones) {
    require(place > 0 && std::isfinite(place), "schedule.milestones", place, "above 0");
  }
  if (schedule.name == "steps" && schedule.milestones.empty()) {
    throw user_error("train",
                     "schedule.milestones is missing: \"steps\" needs the places where the "
                     "learning rate falls, like [0.5, 0.75]");
  }
}

void require_clipping(const OptimizerOptions& options) {
  const auto is_limit = [](double x) { return x >= 0 && std::isfinite(x); };
  require(is_limit(options.clipnorm), "clipnorm", options.clipnorm, "0 or more");
  require(is_limit(options.global_clipnorm), "global_clipnorm", options.global_clipnorm,
          "0 or more");
  require(is_limit(options.clipvalue), "clipvalue", options.clipvalue, "0 or more");
  const int limits =
      (options.clipnorm > 0) + (options.global_clipnorm > 0) + (options.clipvalue > 0);
  if (limits > 1) {
    throw user_error("train",
                     "clipnorm, global_clipnorm and clipvalue: {} of them are set, and at most one "
                     "may be",
                     limits);
  }
}

}  // namespace

void require_optimizer(const OptimizerOptions& options, int epochs) {
  const auto is_share = [](double x) { return x >= 0 && x < 1; };
  const auto is_positive = [](double x) { return x > 0 && std::isfinite(x); };
  require(options.name == "adam" || options.name == "adamw" || options.name == "sgd", "optimizer",
          one_line(options.name), "adam, adamw or sgd");
  require(is_positive(options.learning_rate), "learning_rate", options.learning_rate,
          "above 0 and finite");
  require(options.weight_decay >= 0 && options.weight_decay <= 1, "weight_decay",
          options.weight_decay, "between 0 and 1");
  require(is_share(options.momentum), "momentum", options.momentum, "at least 0 and below 1");
  require(is_share(options.beta_1), "beta_1", options.beta_1, "at least 0 and below 1");
  require(is_share(options.beta_2), "beta_2", options.beta_2, "at least 0 and below 1");
  require(options.epsilon > 0 && options.epsilon <= 1, "epsilon", options.epsilon,
          "above 0 and at most 1");
  require(is_positive(options.norm_bias_learning_rate_factor), "norm_bias_learning_rate_factor",
          options.norm_bias_learning_rate_factor, "above 0 and finite");
  require(options.ema_momentum >= 0 && options.ema_momentum <= 1, "ema_momentum",
          options.ema_momentum, "between 0 and 1");
  const Lookahead& lookahead = options.lookahead;
  require(lookahead.sync_period >= 0, "lookahead.sync_period", lookahead.sync_period, "0 or more");
  require(lookahead.decay >= 0 && lookahead.decay <= 1, "lookahead.decay", lookahead.decay,
          "between 0 and 1");
  require(lookahead.decay_power >= 0 && std::isfinite(lookahead.decay_power),
          "lookahead.decay_power", lookahead.decay_power, "0 or more");
  require_clipping(options);
  require_schedule(options.schedule, epochs);
}

void require_loss(const LossOptions& options) {
  require(options.label_smoothing >= 0 && options.label_smoothing < 1, "label_smoothing",
          options.label_smoothing, "at least 0 and below 1");
  for (const auto& [name, weight] : options.class_weight.of) {
    require(weight >= 0 && std::isfinite(weight), "class_weight", weight, "0 or more");
  }
}

}  // namespace sluice
