"""Plans the processes of a round."""

import functools
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import environments
from sluice_peer import sluice
from works import HERE, PROGRAMS, STEPS_LIMIT, WORKS, Setting, Work, settings


@dataclass(frozen=True)
class Task:
    work: Work
    setting: Setting
    command: list[str]
    obstacle: str = ""  # reason why it cannot run
    limit: float | None = None

    @property
    def keep_memory(self) -> bool:
        words = self.setting.name.split()
        return "kept" in words if self.work.kind == "lab" else "released" not in words

    def key(self) -> dict:
        return {"work": self.work.name, "batch": self.work.batch, "peer": self.setting.peer,
                "setting": self.setting.name}


def obstacle(setting: Setting) -> str:
    if "bf16" in setting.name.split() and not environments.has_bf16():
        return "this processor has neither avx512_bf16 nor amx_bf16"
    return environments.obstacle(setting.peer)


def task(work: Work, setting: Setting, options) -> Task:
    why_not = obstacle(setting)
    if why_not:
        return Task(work, setting, [], why_not)
    command = [environments.python_of(setting.peer), str(HERE / PROGRAMS[setting.peer]), work.kind,
               "--setting", setting.name, "--threads", str(options.threads),
               "--scratch", str(options.out / "scratch")]
    if work.kind == "lab":
        command += ["--data", str(options.data or random_images(options.out / "scratch/data"))]
        command += ["--epochs", str(options.epochs)] if options.epochs else []
        return Task(work, setting, command)
    command += ["--batch", str(work.batch), "--seconds", str(options.seconds)]
    if work.network:
        command += ["--network", work.network, "--image-size", str(work.image_size)]
    if setting.peer in ("onnxruntime", "openvino"):
        command += ["--model", str(onnx_model(options.out / "scratch", work))]
    return Task(work, setting, command, limit=options.seconds + STEPS_LIMIT)


def plan(options) -> list[Task]:
    return [task(work, setting, options)
            for work in WORKS if work.name in options.works
            for setting in settings(options.compute)
            if work.name in setting.works and setting.peer in options.peers
            and not set(options.without) & set(setting.name.split())]


@functools.cache
def random_images(folder: Path) -> Path:
    """Writes CIFAR-10's binary version; the time of a step does not depend on the images."""
    source = random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()
    (folder / "batches.meta.txt").write_text("\n".join(names) + "\n")
    for name, images in (("data_batch_1.bin", 5000), ("test_batch.bin", 1000)):
        records = (bytes([i % 10]) + source.randbytes(3072) for i in range(images))
        (folder / name).write_bytes(b"".join(records))
    return folder


def onnx_model(folder: Path, work: Work) -> Path:
    """Trains a network or the mixture for a few steps and exports it."""
    name = work.network or "mixture"
    model = "baseline" if work.network else "mixture"
    file = folder / "onnx" / name / f"{model}.onnx"
    if not file.exists():
        run = folder / name
        shutil.rmtree(run, ignore_errors=True)  # from a stopped run
        settings = ["train.epochs=1", "data.train_images=200", "data.test_images=50"]
        if work.network:
            settings += [f'model.network="{name}"', f"data.image_size={work.image_size}"]
        experiment = "one-network.toml" if work.network else "lab.toml"
        sluice("train", HERE.parents[1] / "experiments" / experiment, "--run", run,
               "--data", "builtin", *(word for each in settings for word in ("--set", each)))
        sluice("export", run, "--format", "onnx", "--model", model, "--to", file.parent)
    return file
