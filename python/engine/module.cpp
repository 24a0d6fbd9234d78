// The module sluice._engine: models that NumPy arrays go into and come out of. What users see is in
// python/sluice.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "engine/data.h"
#include "engine/network.h"
#include "engine/verdict.h"
#include "sluice/error.h"

namespace nb = nanobind;

NB_MODULE(_engine, module) {
  using sluice::python::Network;
  sluice::python::watch_forks();
  module.attr("version") = SLUICE_VERSION;
  static nb::exception<sluice::Error> machine_error(module, "MachineError", PyExc_RuntimeError);
  static nb::exception<sluice::Error> user_error(module, "UserError", PyExc_ValueError);
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const sluice::Error& error) {
      const bool is_users = error.fault() == sluice::Fault::user;
      PyErr_SetString(is_users ? user_error.ptr() : machine_error.ptr(), error.what());
    }
  });
  nb::class_<Network>(module, "Network")
      .def_static("declared", &Network::declared, nb::arg("declaration"), nb::arg("seed"))
      .def_static("cnn", &Network::cnn, nb::arg("name"), nb::arg("input"), nb::arg("classes"),
                  nb::arg("is_large"), nb::arg("width"), nb::arg("seed"))
      .def_static("mixture", &Network::mixture, nb::arg("baseline"), nb::arg("gate"),
                  nb::arg("experts"), nb::arg("groups"), nb::arg("seed"))
      .def_static("open", &Network::open, nb::arg("file"))
      .def("save", &Network::save, nb::arg("file"))
      .def_prop_ro("is_mixture", &Network::is_mixture)
      .def_prop_ro("declaration", &Network::declaration)
      .def_prop_ro("summary", &Network::summary)
      .def_prop_ro("input_shape", &Network::input_shape)
      .def_prop_ro("output_shape", &Network::output_shape)
      .def_prop_rw("class_names", &Network::class_names, &Network::set_class_names)
      .def_prop_rw("groups", &Network::groups, &Network::set_groups)
      .def("tensors", &Network::tensors)
      .def("tensor", &Network::tensor, nb::arg("number"))
      .def("set_tensor", &Network::set_tensor, nb::arg("number"), nb::arg("values"))
      .def("predict", &Network::predict, nb::arg("images"), nb::arg("batch"))
      .def("fit", &Network::fit, nb::arg("images"), nb::arg("labels"), nb::arg("weights"),
           nb::arg("validation_images"), nb::arg("validation_labels"), nb::arg("options"),
           nb::arg("on_epoch"), nb::arg("on_step"));
  module.def("load", &sluice::python::load, nb::arg("options"), nb::arg("place"), nb::arg("say"),
             nb::arg("progress"), nb::arg("download"));
  module.def(
      "judge",
      [](Network& baseline, Network& mixture,
         const std::vector<std::pair<std::string, Network*>>& controls,
         const sluice::python::Images& images, const sluice::python::Labels& labels,
         const std::vector<std::string>& class_names, const sluice::python::NamedGroups& groups) {
        const sluice::python::Judgement its =
            judge(baseline, mixture, controls, images, labels, class_names, groups);
        return std::tuple(its.sentence, its.improved, its.worth_it, its.figures);
      },
      nb::arg("baseline"), nb::arg("mixture"), nb::arg("controls"), nb::arg("images"),
      nb::arg("labels"), nb::arg("class_names"), nb::arg("groups"));
  module.def("find_groups", &sluice::python::find_groups, nb::arg("network"), nb::arg("images"),
             nb::arg("labels"), nb::arg("class_names"), nb::arg("count"));
  module.def("explain", &sluice::python::explain, nb::arg("baseline"), nb::arg("mixture"),
             nb::arg("image"), nb::arg("class_names"), nb::arg("groups"));
}
