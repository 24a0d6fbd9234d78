#include "base/text.h"
#include "formats/text/json_text.h"
#include "report/page_assets.h"
#include "run/explanation.h"
#include "run/frontier_json.h"
#include "run/run_contents.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string html(std::string text) {
  text = replaced(std::move(text), "&", "&amp;");
  return replaced(std::move(text), "<", "&lt;");
}

nlohmann::ordered_json summaries_of(const RunFolder& run) {
  nlohmann::ordered_json summaries = nlohmann::ordered_json::object();
  for (const std::string& name : run.models()) {
    summaries[name] = name == names::kMixture ? summary_text(run.read_mixture().model)
                                              : summary_text(run.read_model(name).model);
  }
  return summaries;
}

/// Replaces each {{name}} of the template, in one pass: it does not search the inserted texts.
std::string filled(std::string_view page,
                   const std::vector<std::pair<std::string, std::string_view>>& parts) {
  std::string out;
  while (true) {
    const std::size_t begin = page.find("{{");
    out += page.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    const std::size_t end = page.find("}}", begin);
    const std::string_view name = page.substr(begin + 2, end - begin - 2);
    for (const auto& [key, value] : parts) {
      if (key == name) out += value;
    }
    page.remove_prefix(end + 2);
  }
}

std::string page(const std::string& title, const std::string& sentence,
                 const nlohmann::ordered_json& contents) {
  // Data must not contain "<": a name could close the element that holds it.
  const std::string data = replaced(json_text(contents), "<", "\\u003c");
  return filled(page_template(), {{"title", html(title)},
                                  {"sentence", html(sentence)},
                                  {"css", page_style()},
                                  {"data", data},
                                  {"chart", chart_library()},
                                  {"js", page_script()}});
}

}  // namespace

std::string explanation_html(const Answers& answers, const Examples& examples, std::size_t example,
                             const std::string& name) {
  nlohmann::ordered_json explanation = explanation_json(answers, examples, example);
  explanation["name"] = one_line(name);
  explanation["class_names"] = answers.class_names;
  explanation["group_names"] = answers.group_names;
  return page(one_line(name) + ", explained", explanation_text(answers, example),
              {{"explanation", std::move(explanation)}});
}

std::string report_html(const std::vector<RunFolder>& runs,
                        const std::function<void()>& before_each) {
  nlohmann::ordered_json contents = nlohmann::ordered_json::array();
  std::string title;
  std::string sentences;
  bool has_mixture = false;
  for (const RunFolder& run : runs) {
    if (before_each) before_each();
    nlohmann::ordered_json one = contents_of(run);
    one["summaries"] = summaries_of(run);
    const auto name = one["name"].get<std::string>();
    title += (title.empty() ? "" : ", ") + name;
    sentences += (sentences.empty() ? "" : " ") + name + ": " +
                 one["results"]["verdict"]["sentence"].get<std::string>();
    has_mixture |= one["results"].contains("mixture");
    contents.push_back(std::move(one));
  }
  title += has_mixture ? ": was the mixture worth it?" : ": report";
  return page(title, sentences, {{"runs", std::move(contents)}});
}

std::string frontier_html(const Frontier& frontier) {
  return page(frontier.name + ": is the mixture above the dense networks?",
              sentence(frontier.points, frontier.verdict), {{"frontier", to_json(frontier)}});
}

}  // namespace sluice
