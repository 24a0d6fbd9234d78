// What a library throws is caught by its type in an application, from either library and through
// it.

#include <iostream>

#include "sluice/error.h"
#include "sluice/exchange.h"
#include "sluice/process.h"

namespace {

template <class Exception, class Function>
int caught(const char* what, const Function& function) {
  try {
    function();
  } catch (const Exception& error) {
    std::cout << what << ": " << error.what() << '\n';
    return 1;
  } catch (...) {
  }
  std::cout << what << ": not caught\n";
  return 0;
}

/// An exception of the application's own.
struct Enough : std::exception {};

}  // namespace

int main() {
  using namespace sluice;
  int count = caught<Error>("sluice", [] { read_model("missing.safetensors"); });
  count += caught<Error>("exchange", [] { import_keras("missing.keras"); });
  count += caught<Interrupted>("process", [] { throw Interrupted(2); });
  DataEvents events;
  events.say = [](const std::string&) { throw Enough(); };
  count += caught<Enough>("callback", [&] { load_data({}, "builtin", events); });
  return count == 4 ? 0 : 1;
}
