"""Tests of the arithmetic behind the tables: python3 bench/peers/table_test.py"""

import tempfile
import unittest
from pathlib import Path

import plan
import rounds
import table
from measure import WARM_UP, Clock
from works import LATENCY, RATE, WORKS, Setting

TRAIN = WORKS[0]


def record(round_, peer, setting, **figures):
    return {"round": round_, "work": "train", "batch": 32, "peer": peer, "setting": setting,
            **figures}


RECORDS = [
    record(1, "sluice", "exact", images_per_second=600),
    record(1, "keras", "XLA", images_per_second=300, version="Keras 3"),
    record(1, "keras", "Eigen", images_per_second=200, version="Keras 3"),
    record(2, "sluice", "exact", images_per_second=800),
    record(2, "keras", "XLA", images_per_second=200, version="Keras 3"),
    record(2, "keras", "Eigen", error="ended with 1: no memory"),
    record(3, "sluice", "exact", images_per_second=500),
    record(3, "keras", "XLA", images_per_second=250, version="Keras 3"),
]


class Table(unittest.TestCase):
    def setUp(self):
        self.values = table.series(RECORDS, TRAIN, RATE)
        self.sluice = self.values["sluice", "exact"]

    def test_ratios_pair_the_rounds_that_both_have(self):
        self.assertEqual(table.ratios(self.sluice, self.values["keras", "XLA"], RATE), [2, 4, 2])
        self.assertEqual(table.ratios(self.sluice, self.values["keras", "Eigen"], RATE), [3])

    def test_a_ratio_is_above_one_where_sluice_takes_less_time(self):
        self.assertEqual(table.ratios({1: 2.0}, {1: 3.0}, LATENCY), [1.5])

    def test_the_best_setting_is_that_of_the_best_median(self):
        self.assertEqual(table.best_of_each_peer(self.values, RATE),
                         {"sluice": "exact", "keras": "XLA"})
        self.assertEqual(table.best_of_each_peer(self.values, LATENCY)["keras"], "Eigen")

    def test_markdown(self):
        text = table.markdown(RECORDS, "A processor, 2 threads.")
        for line in ("A processor, 2 threads.", "Keras 3", "| sluice exact | 500 | 600 | 800 |  |",
                     "| keras XLA | 200 | 250 | 300 | 2.00 (2.00-4.00) |",
                     f"| {TRAIN.title}: images/s | keras XLA | exact | 2.00 (2.00-4.00) |",
                     "- keras Eigen (train 32): ended with 1: no memory"):
            self.assertIn(line, text.splitlines())

    def test_a_round_is_kept_and_belongs_to_its_options(self):
        with tempfile.TemporaryDirectory() as folder:
            store = rounds.Rounds(Path(folder), "steps", {"threads": 2})
            store.write(1, RECORDS[:2])
            self.assertEqual(rounds.all_records(Path(folder)), RECORDS[:2])
            self.assertTrue(store.has_all(1, [{"peer": "keras"}, {"peer": "sluice"}]))
            self.assertFalse(store.has_all(1, [{"peer": "openvino"}]))
            with self.assertRaisesRegex(rounds.Conflict, "threads 2, not 1"):
                rounds.Rounds(Path(folder), "steps", {"threads": 1})

    def test_the_clock_leaves_the_warm_up_out(self):
        clock = Clock(32, 4)
        clock.ticks = [0.0] * (WARM_UP - 1) + [10, 11, 12, 14]
        self.assertEqual(clock.figures(), {"images_per_second": 24, "median_ms": 1000})

    def test_the_warm_up_of_long_steps_is_two_steps(self):
        clock = Clock(32, 4)
        clock.ticks = [100.0, 106, 112, 120]
        self.assertEqual(clock.measured(), [106, 112, 120])
        clock.ticks = [100.0, 101, 102]
        self.assertEqual(clock.measured(), [])

    def test_a_network_is_a_work_of_its_own(self):
        [work] = [w for w in WORKS if w.name == "train-airbench"]
        self.assertEqual((work.kind, work.short()), ("train", "train-airbench 1024"))
        records = [{**record(1, "sluice", "exact", images_per_second=6), "work": work.name,
                    "batch": work.batch}]
        self.assertIn(("sluice", "exact"), table.series(records, work, RATE))
        self.assertEqual(table.series(records, TRAIN, RATE), {})

    def test_memory_is_kept_but_where_a_setting_releases_it(self):
        kept = {(work.kind, name): plan.Task(work, Setting("pytorch", name, ()), []).keep_memory
                for work in WORKS for name in ("channels_last", "channels_last released")}
        self.assertTrue(kept["train", "channels_last"])
        self.assertFalse(kept["train", "channels_last released"])
        self.assertFalse(kept["lab", "channels_last"])


if __name__ == "__main__":
    unittest.main()
