"""The measured works, and the settings of the programs."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
STEPS_LIMIT = 900  # seconds in addition to the measurement: compilers are slow


@dataclass(frozen=True)
class Metric:
    field: str  # field of a record
    unit: str
    more_is_better: bool


@dataclass(frozen=True)
class Work:
    kind: str
    batch: int | None
    title: str
    metrics: tuple[Metric, ...]
    network: str | None = None  # as `sluice bench --network`; None for the lab's models
    image_size: int = 32

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.network}" if self.network else self.kind

    def short(self) -> str:
        return f"{self.name} {self.batch}" if self.batch else self.name


RATE = Metric("images_per_second", "images/s", True)
LATENCY = Metric("median_ms", "ms", False)
SECONDS = Metric("seconds", "s", False)
MEMORY = Metric("peak_mb", "MB of memory at the peak", False)

WORKS = (
    Work("train", 32, "Training step of the small CNN, batch 32", (RATE,)),
    Work("train", 128, "Training step of the small CNN, batch 128", (RATE,)),
    Work("joint", 32, "Joint training step of the mixture, batch 32", (RATE,)),
    Work("inference", 256, "Inference of the mixture, batch 256", (RATE,)),
    Work("inference", 1, "Inference of the mixture, one image", (LATENCY,)),
    Work("lab", None, "The whole lab, start to end", (SECONDS, MEMORY)),
    Work("train", 1024, "Training step of airbench, batch 1024", (RATE, MEMORY), "airbench"),
    Work("train", 128, "Training step of resnet20, batch 128", (RATE, MEMORY), "resnet20"),
    Work("train", 128, "Training step of mobilenet-small at 96x96, batch 128", (RATE, MEMORY),
         "mobilenet-small", 96),
    Work("train", 1024, "Training step of pays, batch 1024", (RATE, MEMORY), "pays"),
    Work("train", 256, "Training step of experts, batch 256", (RATE, MEMORY), "experts"),
    Work("inference", 256, "Inference of airbench, batch 256", (RATE, MEMORY), "airbench"),
    Work("inference", 128, "Inference of mobilenet-small at 96x96, batch 128", (RATE, MEMORY),
         "mobilenet-small", 96),
)
STEPS = ("train", "joint", "inference")
NETWORKS = tuple(work.name for work in WORKS if work.network)
INFERENCE = ("inference", *(work.name for work in WORKS
                            if work.network and work.kind == "inference"))


@dataclass(frozen=True)
class Setting:
    peer: str
    name: str  # words that the peer's program understands
    works: tuple[str, ...]  # names


# The words of a setting say how it differs from the peer's plainest form. "bf16" is skipped if the
# processor has no such instructions. "routed" runs only the expert that the gate chose. "kept"
# makes the C library keep freed memory, as for all steps but those that are "released": see
# process.py.
PROGRAMS = {
    "sluice": "sluice_peer.py",
    "sluice-python": "python_peer.py",
    "keras": "keras_peer.py",
    "pytorch-debian": "torch_peer.py",
    "pytorch": "torch_peer.py",
    "onnxruntime": "onnxruntime_peer.py",
    "openvino": "openvino_peer.py",
}
SETTINGS = (
    Setting("sluice-python", "arrays", STEPS),
    # By default TensorFlow uses oneDNN if the processor has VNNI, else Eigen, and Keras does not
    # use XLA.
    Setting("keras", "Eigen", (*STEPS, "lab")),
    Setting("keras", "oneDNN", (*STEPS, "lab")),
    Setting("keras", "oneDNN kept", ("lab",)),
    Setting("keras", "XLA", STEPS),
    Setting("keras", "oneDNN bf16", STEPS),
    Setting("keras", "XLA bf16", STEPS),
    Setting("pytorch-debian", "contiguous", STEPS),
    Setting("pytorch-debian", "channels_last", (*STEPS, "lab")),
    Setting("pytorch-debian", "channels_last kept", ("lab",)),
    Setting("pytorch-debian", "channels_last routed", ("joint", "inference")),
    Setting("pytorch-debian", "channels_last traced", ("inference",)),
    Setting("pytorch-debian", "channels_last bf16", STEPS),
    Setting("pytorch", "contiguous", (*STEPS, *NETWORKS)),
    Setting("pytorch", "channels_last", (*STEPS, *NETWORKS, "lab")),
    Setting("pytorch", "channels_last released", NETWORKS),
    Setting("pytorch", "channels_last kept", ("lab",)),
    Setting("pytorch", "channels_last routed", ("joint", "inference")),
    Setting("pytorch", "contiguous compiled", (*STEPS, *NETWORKS)),
    Setting("pytorch", "channels_last compiled", (*STEPS, *NETWORKS, "lab")),
    Setting("pytorch", "channels_last bf16", (*STEPS, *NETWORKS)),
    Setting("pytorch", "channels_last compiled bf16", (*STEPS, *NETWORKS)),
    Setting("onnxruntime", "fp32", INFERENCE),
    Setting("openvino", "fp32", INFERENCE),
    Setting("openvino", "bf16", INFERENCE),
)


def settings(compute: list[str]) -> list[Setting]:
    """Puts Sluice's settings in these modes first; the lab uses its experiment's mode."""
    sluice = [Setting("sluice", mode, (*STEPS, *NETWORKS)) for mode in compute]
    return [*sluice, Setting("sluice", "lab.toml", ("lab",)), *SETTINGS]
