"""The rounds of a folder: one file each, with the options and the records."""

import json
from pathlib import Path


class Conflict(Exception):
    pass


class Rounds:
    def __init__(self, folder: Path, kind: str, options: dict):
        """A kind is steps or lab; all rounds of a kind have the same options."""
        self.folder = folder
        self.kind = kind
        self.options = options
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.glob(f"{kind}-*.json"):
            other = json.loads(file.read_text())["options"]
            if other != options:
                raise Conflict(f"{file} was measured {difference(other, options)}: name another "
                               "--out")

    def file(self, number: int) -> Path:
        return self.folder / f"{self.kind}-{number}.json"

    def read(self, number: int) -> list[dict]:
        file = self.file(number)
        return json.loads(file.read_text())["records"] if file.exists() else []

    def has_all(self, number: int, keys: list[dict]) -> bool:
        records = self.read(number)
        return all(any(key.items() <= there.items() for there in records) for key in keys)

    def write(self, number: int, records: list[dict]) -> None:
        """Writes the whole file or nothing."""
        part = self.file(number).with_suffix(".part")
        part.write_text(json.dumps({"options": self.options, "records": records}, indent=1) + "\n")
        part.replace(self.file(number))


def difference(before: dict, now: dict) -> str:
    return ", ".join(f"with {name} {before.get(name)}, not {now.get(name)}"
                     for name in {**before, **now} if before.get(name) != now.get(name))


def all_records(folder: Path) -> list[dict]:
    files = sorted(folder.glob("*-*.json"), key=lambda f: (f.stem.split("-")[0], len(f.stem), f))
    return [record for file in files for record in json.loads(file.read_text())["records"]]
