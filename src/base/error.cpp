#include "sluice/error.h"

#include <fmt/format.h>

namespace sluice {

Error::Error(Fault fault, std::string_view tag, std::string_view message)
    : std::runtime_error(fmt::format("[{}] {}", tag, message)), fault_(fault) {}

}  // namespace sluice
