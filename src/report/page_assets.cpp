#include "report/page_assets.h"

// The assembler includes the bytes of a file between two labels. CMake sets the files' paths, and
// recompiles this file when one changes.
#define SLUICE_FILE(file) ".incbin \"" file "\"\n"
#define SLUICE_PAGE(file) SLUICE_FILE(SLUICE_PAGE_FOLDER "/" file)
#define SLUICE_EMBED(name, files)                                                                  \
  extern "C" __attribute__((visibility("hidden"))) const char name[];                              \
  extern "C" __attribute__((visibility("hidden"))) const char name##_end[];                        \
  asm(".pushsection .rodata\n"                                                                     \
      ".global " #name "\n.hidden " #name "\n.global " #name "_end\n.hidden " #name "_end\n" #name \
      ":\n" files #name                                                                            \
      "_end:\n.byte 0\n"                                                                           \
      ".popsection\n");

SLUICE_EMBED(sluice_page_template, SLUICE_PAGE("page.html"))
SLUICE_EMBED(sluice_page_style, SLUICE_PAGE("page.css"))
SLUICE_EMBED(sluice_page_script,
             SLUICE_PAGE("elements.js") SLUICE_PAGE("charts.js") SLUICE_PAGE("confusion.js")
                 SLUICE_PAGE("gallery.js") SLUICE_PAGE("experts.js") SLUICE_PAGE("mistakes.js")
                     SLUICE_PAGE("page.js") SLUICE_PAGE("comparison.js") SLUICE_PAGE("frontier.js")
                         SLUICE_PAGE("main.js"))
SLUICE_EMBED(sluice_chart_library, SLUICE_FILE(SLUICE_CHART_LIBRARY))

namespace sluice {

std::string_view page_template() {
  return {sluice_page_template, sluice_page_template_end};
}

std::string_view page_style() {
  return {sluice_page_style, sluice_page_style_end};
}

std::string_view page_script() {
  return {sluice_page_script, sluice_page_script_end};
}

std::string_view chart_library() {
  return {sluice_chart_library, sluice_chart_library_end};
}

}  // namespace sluice
