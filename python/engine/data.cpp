#include "engine/data.h"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "data/cifar_cache.h"
#include "engine/signals.h"
#include "sluice/lab/run_folder.h"

namespace nb = nanobind;

namespace sluice::python {

namespace {

/// Pictures that are on the disk are read into memory, where NumPy needs them.
void read_all(LabelledImages& images) {
  if (!images.decoded) return;
  const auto size = static_cast<std::size_t>(element_count(images.shape));
  images.pixels.resize(images.size() * size);
  for (std::size_t row = 0; row < images.size(); ++row) {
    std::ranges::copy(images.image(row), images.pixels.begin() + std::ptrdiff_t(row * size));
  }
  images.decoded.reset();
}

/// Calls Python's download. Its MachineError becomes Error, after which load_data() goes on.
void fetch(const nb::callable& download, const std::string& folder) {
  try {
    download(folder);
  } catch (nb::python_error& error) {
    if (!error.matches(PyExc_RuntimeError)) throw;
    const std::string why = nb::cast<std::string>(nb::str(error.value()));
    throw machine_error("python", "{}", why);
  }
}

Half half_of(LabelledImages images) {
  std::vector<std::size_t> shape{images.size()};
  for (const std::int64_t length : images.shape) shape.push_back(static_cast<std::size_t>(length));
  const std::size_t count = images.size();
  return {array_of(std::move(images.pixels), shape), array_of(std::move(images.labels), {count})};
}

}  // namespace

Loaded load(const std::vector<std::string>& options, const std::string& place,
            const nb::callable& say, const nb::callable& progress, const nb::callable& download) {
  Dataset data;
  {
    const nb::gil_scoped_release free;
    SignalsWait signals;
    DataEvents events;
    events.say = [&](const std::string& line) { signals.with_python([&] { say(line); }); };
    events.images = [&](std::size_t done, std::size_t total) {
      signals.check();
      signals.with_python([&] { progress(done, total); });
    };
    events.download = [&](const DataEvents&) {
      const std::filesystem::path folder = cached_cifar(cache_folder());
      signals.with_python([&] { fetch(download, folder.string()); });
      return folder;
    };
    data = load_data(read_data_options(options), {place, "given"}, events);
    for (LabelledImages* half : {&data.train, &data.test, &data.validation}) read_all(*half);
  }
  return {data.name,
          data.source,
          data.class_names,
          half_of(std::move(data.train)),
          half_of(std::move(data.test)),
          half_of(std::move(data.validation))};
}

}  // namespace sluice::python
