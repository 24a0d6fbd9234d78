#pragma once

#include <string>

#include "conduct/stopping.h"
#include "sluice/error.h"

namespace sluice {

/// Calls draw(). A failed plot must not end a training: it is a note.
template <class Draw>
void picture(RunObserver& observer, const Draw& draw) {
  stop_if_wanted(observer);
  try {
    draw();
  } catch (const Error& error) {
    observer.on_note(std::string("no picture: ") + error.what());
  }
}

}  // namespace sluice
