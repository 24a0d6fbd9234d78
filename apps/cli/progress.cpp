#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "cli/output.h"
#include "cli/timer.h"
#include "sluice/exchange.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kPlainSeconds = 30;

/// Number of characters that fit into a line of the terminal.
std::size_t terminal_width() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsual;
  return size.ws_col;
}

/// Redraws the current line. It must not wrap, so this takes the first of several forms that fits,
/// and cuts the last one.
void draw_over(const std::vector<std::string>& forms) {
  const std::size_t room = terminal_width() - 1;  // the last column may wrap
  const auto form = std::ranges::find_if(
      forms, [&](const std::string& each) { return display_width(each) <= room; });
  const std::string line = form != forms.end() ? *form : cut(forms.back(), room);
  write_out_raw("\r" + printable(line) + "\x1b[K");
  flush_out();
}

/// Draws the line for the last time, and ends it.
void draw_last(const std::string& line) {
  write_out_raw("\r" + printable(line) + "\x1b[K\n");
  flush_out();
}

void print_line(const std::string& line) {
  print_out("{}\n", line);
  flush_out();
}

std::string bar(double share) {
  constexpr int kWidth = 8;
  const int full = static_cast<int>(share * kWidth);
  std::string text;
  for (int i = 0; i < kWidth; ++i) text += i < full ? "━" : "─";
  return text;
}

std::string step_time(double seconds) {
  return seconds < 1 ? fmt::format("{:.0f}ms/step", seconds * 1e3)
                     : fmt::format("{:.1f}s/step", seconds);
}

/// Returns forms of the line, from the longest to the shortest.
std::vector<std::string> running_lines(const Progress& p) {
  const std::string where = fmt::format("Epoch {}/{} {}/{}", p.epoch, p.epochs, p.step, p.steps);
  const std::string left = clock_text(p.seconds_left) + " left";
  const std::string figures = fmt::format("loss {:.4f} acc {:.3f}", p.loss, p.accuracy);
  return {fmt::format("{} {} {} {} {}", where, bar(double(p.step) / p.steps),
                      step_time(p.seconds_per_step), left, figures),
          fmt::format("{} {} {}", where, left, figures), where + " " + left};
}

/// Returns forms of a line that name all trainings, all but the last one, and so on.
std::vector<std::string> running_lines(const std::vector<Running>& all, double seconds_left) {
  const std::string left = seconds_left > 0 ? "   " + clock_text(seconds_left) + " left" : "";
  std::vector<std::string> forms;
  std::string names;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Progress& p = all[i].progress;
    if (i > 0) names += ", ";
    names += all[i].name;
    if (p.epochs > 0) names += fmt::format(" {}/{}", p.epoch, p.epochs);
    const std::size_t more = all.size() - i - 1;
    forms.push_back(names + (more > 0 ? fmt::format(" and {} more", more) : "") + left);
  }
  return {forms.rbegin(), forms.rend()};
}

}  // namespace

bool can_redraw() {
  static const bool terminal = [] {
    const char* kind = std::getenv("TERM");
    return isatty(STDOUT_FILENO) != 0 && kind != nullptr && std::strcmp(kind, "dumb") != 0;
  }();
  return terminal;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

void FitProgress::on_step(const Progress& progress) {
  if (progress.seconds < last_shown_) last_shown_ = 0;
  const double pause = can_redraw() ? kRedrawSeconds : kPlainSeconds;
  if (progress.seconds - last_shown_ < pause) return;
  last_shown_ = progress.seconds;
  if (can_redraw()) {
    draw_over(running_lines(progress));
  } else {
    print_line(running_lines(progress).front());
  }
}

void FitProgress::on_epoch(const Progress& progress, const Epoch& epoch) {
  const std::string line = fmt::format(
      "Epoch {}/{} {} {} loss {:.4f} acc {:.3f} val_loss {:.4f} val_acc {:.3f}", progress.epoch,
      progress.epochs, clock_text(epoch.seconds), step_time(progress.seconds_per_step), epoch.loss,
      epoch.accuracy, epoch.val_loss, epoch.val_accuracy);
  end(line);
}

void FitProgress::on_running(const std::vector<Running>& all, double seconds_left) {
  if (!can_redraw() || all.empty()) return;
  draw_over(running_lines(all, seconds_left));
  is_running_ = true;
}

void FitProgress::clear() {
  if (is_running_) write_out_raw("\r\x1b[K");
  is_running_ = false;
}

void FitProgress::end(const std::string& line) {
  if (can_redraw()) {
    draw_last(line);
  } else {
    print_line(line);
  }
}

namespace {

/// A line about long work, with a limited rate of updates.
class PacedLine {
 public:
  double seconds() const { return timer_.seconds(); }

  template <class Text>
  void show(const Text& text) {
    if (seconds() - last_shown_ < (can_redraw() ? kRedrawSeconds : kPlainSeconds)) return;
    last_shown_ = seconds();
    if (can_redraw()) {
      draw_over({text()});
      open_ = true;
    } else {
      print_line(text());
    }
  }
  /// Ends the line, so that other text can be printed.
  void end() {
    if (open_) print_out("\n");
    open_ = false;
  }
  void restart() {
    end();
    *this = PacedLine();
  }

 private:
  Timer timer_;
  double last_shown_ = 0;
  bool open_ = false;
};

std::string time_left(double left, double rate) {
  return rate > 0 ? clock_text(left / rate) : "?";
}

}  // namespace

DataEvents data_events() {
  // The functions share the line, because the library copies them.
  const auto line = std::make_shared<PacedLine>();
  DataEvents events;
  events.download = [](const DataEvents& told) { return fetch_cifar10(kCifar10Url, told); };
  events.say = [line](const std::string& text) {
    line->end();
    print_line(text);
  };
  events.progress = [line, first = std::uint64_t{0}](std::uint64_t done,
                                                     std::uint64_t total) mutable {
    check_interrupt();
    if (first == 0) first = done;  // bytes of an earlier download that is resumed
    if (total == 0) return;
    const double rate = double(done - first) / line->seconds();
    line->show([&] {
      return fmt::format("{} {:.0f} of {:.0f} MB, {:.1f} MB/s, {} left",
                         bar(double(done) / double(total)), double(done) / 1e6, double(total) / 1e6,
                         rate / 1e6, time_left(double(total - done), rate));
    });
  };
  events.images = [line, before = std::size_t{0}](std::size_t done, std::size_t total) mutable {
    check_interrupt();
    if (done < before) line->restart();  // the next folder
    before = done;
    const double rate = double(done) / line->seconds();
    line->show([&] {
      return fmt::format("{} {} of {} images, {} left", bar(double(done) / double(total)),
                         with_commas(std::int64_t(done)), with_commas(std::int64_t(total)),
                         time_left(double(total - done), rate));
    });
  };
  return events;
}

}  // namespace sluice::cli
