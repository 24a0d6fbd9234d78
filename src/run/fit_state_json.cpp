#include "run/fit_state_json.h"

#include <nlohmann/json.hpp>

namespace sluice {

nlohmann::json to_json(const FitState& state) {
  nlohmann::json epochs = nlohmann::json::array();
  for (const Epoch& e : state.history.epochs) {
    epochs.push_back({e.loss, e.accuracy, e.val_loss, e.val_accuracy, e.seconds});
  }
  return {{"finished", state.finished},
          {"epoch", state.epoch},
          {"step", state.step},
          {"loss", state.loss},
          {"right", state.right},
          {"seconds", state.seconds},
          {"history",
           {{"epochs", std::move(epochs)},
            {"restored_epoch", state.history.restored_epoch},
            {"seconds", state.history.seconds},
            {"cpu_seconds", state.history.cpu_seconds},
            {"images", state.history.images},
            {"images_per_second", state.history.images_per_second}}},
          {"stopping",
           {{"best", state.stopping.best},
            {"best_epoch", state.stopping.best_epoch},
            {"wait", state.stopping.wait}}}};
}

void from_json(const nlohmann::json& json, FitState& state) {
  json.at("finished").get_to(state.finished);
  json.at("epoch").get_to(state.epoch);
  json.at("step").get_to(state.step);
  json.at("loss").get_to(state.loss);
  json.at("right").get_to(state.right);
  json.at("seconds").get_to(state.seconds);
  const nlohmann::json& history = json.at("history");
  state.history.epochs.clear();
  for (const nlohmann::json& e : history.at("epochs")) {
    state.history.epochs.push_back({e.at(0), e.at(1), e.at(2), e.at(3), e.at(4)});
  }
  history.at("restored_epoch").get_to(state.history.restored_epoch);
  history.at("seconds").get_to(state.history.seconds);
  history.at("cpu_seconds").get_to(state.history.cpu_seconds);
  history.at("images").get_to(state.history.images);
  history.at("images_per_second").get_to(state.history.images_per_second);
  const nlohmann::json& stopping = json.at("stopping");
  stopping.at("best").get_to(state.stopping.best);
  stopping.at("best_epoch").get_to(state.stopping.best_epoch);
  stopping.at("wait").get_to(state.stopping.wait);
}

}  // namespace sluice
