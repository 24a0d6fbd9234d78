#include "data/arrays/pickle.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "base/fail.h"
#include "base/text.h"

namespace sluice {

using Kind = PickleValue::Kind;

/// The machine of a pickle: opcodes push values on a stack, join them and remember them by number
/// (Python's pickletools.py describes each).
class PickleReader {
 public:
  PickleReader(std::string_view bytes, Pickle& pickle)
      : rest_(bytes), pickle_(pickle), values_(pickle.values_) {}

  void read() {
    while (step()) {
    }
    if (stack_.size() != 1 || !marks_.empty()) refuse("is damaged");
    pickle_.root_ = stack_.front();
  }

 private:
  static constexpr std::size_t kMostValues = 1'000'000;
  static constexpr std::size_t kMostNesting = 100;

  [[noreturn]] void refuse(const std::string& why) const { pickle_.refuse(why); }

  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) refuse("is cut short");
    const std::string_view part = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return part;
  }
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    const std::string_view digits = take(static_cast<std::uint64_t>(bytes));
    for (int i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(digits[i]);
    return value;
  }
  std::string_view line() {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) refuse("is cut short");
    const std::string_view text = take(end);
    take(1);
    return text;
  }

  void push(std::uint32_t place) { stack_.push_back(place); }
  void push(PickleValue value) {
    if (values_.size() == kMostValues) refuse("has more than a million values");
    values_.push_back(std::move(value));
    push(static_cast<std::uint32_t>(values_.size() - 1));
  }
  void push_number(std::int64_t number) { push({.kind = Kind::number, .number = number}); }
  std::uint32_t pop() {
    const std::size_t bottom = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= bottom) refuse("is damaged");
    const std::uint32_t place = stack_.back();
    stack_.pop_back();
    return place;
  }
  /// Returns the top of the stack, which must be of a kind.
  PickleValue& top(Kind kind) {
    if (stack_.empty() || values_[stack_.back()].kind != kind) refuse("is damaged");
    return values_[stack_.back()];
  }
  std::vector<std::uint32_t> pop_to_mark() {
    if (marks_.empty()) refuse("is damaged");
    std::vector<std::uint32_t> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()),
                                     stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  void push_tuple(int count) {
    std::vector<std::uint32_t> items(static_cast<std::size_t>(count));
    for (int i = count; i-- > 0;) items[i] = pop();
    push({.kind = Kind::tuple, .items = std::move(items)});
  }
  /// Adds items to the list or dict that is then the top.
  void add(Kind kind, const std::vector<std::uint32_t>& items) {
    if (kind == Kind::dict && items.size() % 2 != 0) refuse("is damaged");
    std::vector<std::uint32_t>& all = top(kind).items;
    all.insert(all.end(), items.begin(), items.end());
  }

  void remember(std::uint64_t number) {
    if (stack_.empty() || memory_.size() == kMostValues) refuse("is damaged");
    memory_[number] = stack_.back();
  }
  void recall(std::uint64_t number) {
    const auto found = memory_.find(number);
    if (found == memory_.end()) refuse("is damaged");
    push(found->second);
  }

  void push_global() {
    const std::string_view module = line();
    const std::string name = fmt::format("{}.{}", module, line());
    constexpr std::array kConstructors{"numpy.core.multiarray._reconstruct",
                                       "numpy._core.multiarray._reconstruct"};
    if (std::ranges::find(kConstructors, name) != kConstructors.end()) {
      push({.kind = Kind::constructor, .number = 1});
    } else if (name == "numpy.ndarray") {
      push({.kind = Kind::constructor});
    } else if (name == "numpy.dtype") {
      push({.kind = Kind::element_type});
    } else {
      refuse(fmt::format("would run {}, which is never run", one_line(name, 60)));
    }
  }

  /// Stands for the calls _reconstruct(ndarray, (0,), b'b') and dtype('u1', ...).
  void call() {
    const PickleValue& tuple = values_[pop()];
    const std::vector<std::uint32_t>& arguments = tuple.items;
    const bool has_arguments = tuple.kind == Kind::tuple && !arguments.empty();
    const PickleValue& called = values_[pop()];
    if (has_arguments && called.kind == Kind::constructor && called.number == 1 &&
        values_[arguments.front()].kind == Kind::constructor) {
      push({.kind = Kind::array});
    } else if (has_arguments && called.kind == Kind::element_type &&
               (values_[arguments.front()].bytes == "u1" ||
                values_[arguments.front()].bytes == "|u1")) {
      push({.kind = Kind::element_type, .number = 1});
    } else {
      refuse("has an array of another type than bytes");
    }
  }

  /// Stands for array.__setstate__((version, shape, type, is_fortran, bytes)); a type's state says
  /// nothing that matters for bytes.
  void build() {
    const PickleValue& state = values_[pop()];
    if (stack_.empty()) refuse("is damaged");
    PickleValue& built = values_[stack_.back()];
    if (state.kind != Kind::tuple) refuse("is damaged");
    if (built.kind == Kind::element_type) return;
    const auto part = [&](std::size_t i) -> const PickleValue& { return values_[state.items[i]]; };
    if (built.kind != Kind::array || !built.items.empty() || state.items.size() != 5 ||
        part(1).kind != Kind::tuple || part(2).kind != Kind::element_type || part(2).number != 1 ||
        part(3).kind != Kind::flag || part(4).kind != Kind::bytes) {
      refuse("has an array of another form");
    }
    std::uint64_t due = 1;
    for (const std::uint32_t side : part(1).items) {
      constexpr std::int64_t kMostSide = std::int64_t{1} << 31;
      const PickleValue& value = values_[side];
      if (value.kind != Kind::number || value.number < 0 || value.number > kMostSide ||
          due > std::uint64_t{1} << 31) {
        refuse("has an array of an impossible shape");
      }
      due *= static_cast<std::uint64_t>(value.number);
    }
    if (part(3).number != 0) refuse("has an array in Fortran order");
    if (due != part(4).bytes.size()) refuse("has an array of another size than its shape");
    built.items = part(1).items;
    built.bytes = part(4).bytes;
  }

  /// Executes one opcode; false at the end.
  bool step() {
    switch (const char code = take(1).front()) {
      case '\x80':  // PROTO
        if (number(1) > 2) refuse("has a later protocol than 2");
        return true;
      case '.':  // STOP
        return false;
      case '(':  // MARK
        if (marks_.size() == kMostNesting) refuse("is nested too deeply");
        marks_.push_back(stack_.size());
        return true;
      case 'N':  // NONE
        push(PickleValue());
        return true;
      case '\x88':  // NEWTRUE
      case '\x89':  // NEWFALSE
        push({.kind = Kind::flag, .number = code == '\x88'});
        return true;
      case 'K':  // BININT1
        push_number(static_cast<std::int64_t>(number(1)));
        return true;
      case 'M':  // BININT2
        push_number(static_cast<std::int64_t>(number(2)));
        return true;
      case 'J':  // BININT
        push_number(static_cast<std::int32_t>(static_cast<std::uint32_t>(number(4))));
        return true;
      case 'U':  // SHORT_BINSTRING
        push({.kind = Kind::bytes, .bytes = take(number(1))});
        return true;
      case 'T':  // BINSTRING
      case 'X':  // BINUNICODE
        push({.kind = Kind::bytes, .bytes = take(number(4))});
        return true;
      case ']':  // EMPTY_LIST
        push({.kind = Kind::list});
        return true;
      case '}':  // EMPTY_DICT
        push({.kind = Kind::dict});
        return true;
      case 'a': {  // APPEND
        const std::uint32_t item = pop();
        add(Kind::list, {item});
        return true;
      }
      case 'e':  // APPENDS
        add_to_mark(Kind::list);
        return true;
      case 's': {  // SETITEM
        const std::uint32_t value = pop();
        const std::uint32_t key = pop();
        add(Kind::dict, {key, value});
        return true;
      }
      case 'u':  // SETITEMS
        add_to_mark(Kind::dict);
        return true;
      case 't':  // TUPLE
        push({.kind = Kind::tuple, .items = pop_to_mark()});
        return true;
      case '\x85':  // TUPLE1
      case '\x86':  // TUPLE2
      case '\x87':  // TUPLE3
        push_tuple(static_cast<unsigned char>(code) - 0x84);
        return true;
      case 'q':  // BINPUT
        remember(number(1));
        return true;
      case 'r':  // LONG_BINPUT
        remember(number(4));
        return true;
      case 'h':  // BINGET
        recall(number(1));
        return true;
      case 'j':  // LONG_BINGET
        recall(number(4));
        return true;
      case 'c':  // GLOBAL
        push_global();
        return true;
      case 'R':  // REDUCE
        call();
        return true;
      case 'b':  // BUILD
        build();
        return true;
      default:
        refuse(fmt::format("has the opcode 0x{:02x}, which CIFAR's files do not have",
                           static_cast<unsigned char>(code)));
    }
  }

  void add_to_mark(Kind kind) {
    const std::vector<std::uint32_t> items = pop_to_mark();
    add(kind, items);
  }

  std::string_view rest_;
  Pickle& pickle_;
  std::vector<PickleValue>& values_;
  std::vector<std::uint32_t> stack_;
  std::vector<std::size_t> marks_;  ///< heights of the stack
  std::unordered_map<std::uint64_t, std::uint32_t> memory_;
};

Pickle::Pickle(std::string_view bytes, std::string name) : name_(std::move(name)) {
  PickleReader(bytes, *this).read();
}

void Pickle::refuse(const std::string& why) const {
  throw user_error("data", "{} {}: only CIFAR's Python files are read; copy it again", name_, why);
}

const PickleValue* Pickle::find(std::string_view key) const {
  if (root().kind != Kind::dict) refuse("has no dict");
  const std::vector<std::uint32_t>& items = root().items;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (at(items[i]).kind == Kind::bytes && at(items[i]).bytes == key) return &at(items[i + 1]);
  }
  return nullptr;
}

std::vector<std::int64_t> Pickle::numbers(const PickleValue& value) const {
  if (value.kind != Kind::list) refuse("has labels that are no list");
  std::vector<std::int64_t> numbers;
  numbers.reserve(value.items.size());
  for (const std::uint32_t place : value.items) {
    if (at(place).kind != Kind::number) refuse("has a label that is no number");
    numbers.push_back(at(place).number);
  }
  return numbers;
}

}  // namespace sluice
