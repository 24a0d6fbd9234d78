#pragma once

#include <string_view>

namespace sluice {

// The files of src/report/page and Chart.js, embedded in the program.

std::string_view page_template();
std::string_view page_style();
std::string_view page_script();
std::string_view chart_library();

}  // namespace sluice
