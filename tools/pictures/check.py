"""See check."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import make

# Largest and mean difference, of 255, between a picture decoded at reduced scale and whole. The
# largest is at hard edges.
EDGE_LEVELS = 12
MEAN_LEVELS = 0.5


def read(driver: str, mode: str, files: list[Path]) -> list[np.ndarray]:
    """Returns Sluice's pixels, (height, width, 3)."""
    out = subprocess.run([driver, mode, *map(str, files)], check=True, capture_output=True).stdout
    images = []
    for file in files:
        line, _, out = out.partition(b"\n")
        height, width, *why = line.decode().split(" ", 2)
        if why:
            raise SystemExit(f"{file.name}: {why[0]}")
        size = 3 * int(height) * int(width)
        images.append(np.frombuffer(out[:size], np.uint8).reshape(int(height), int(width), 3))
        out = out[size:]
    return images


def pillow(file: Path, turned: bool = True) -> np.ndarray:
    """Returns Pillow's pixels, over white where they are transparent."""
    with Image.open(file) as image:
        if turned:
            image = ImageOps.exif_transpose(image)
        if not image.has_transparency_data:
            return np.asarray(image.convert("RGB"))
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, image.convert("RGBA")).convert("RGB"))


class Check:
    def __init__(self):
        self.faults = 0
        self.checked = 0

    def near(self, what: str, ours: np.ndarray, theirs: np.ndarray, bound: int) -> None:
        self.checked += 1
        if ours.shape != theirs.shape:
            self.faults += 1
            print(f"{what}: Sluice has {ours.shape}, due are {theirs.shape}")
            return
        difference = int(np.abs(ours.astype(int) - theirs.astype(int)).max())
        if difference > bound:
            self.faults += 1
            print(f"{what}: differs by up to {difference} of 255, allowed are {bound}")


def check_alpha(check: Check, driver: str, folder: Path) -> None:
    """Compares every colour at every alpha."""
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256))
    pixels = np.stack([colour, colour, colour, alpha], -1).astype(np.uint8)
    file = folder / "every-alpha.png"
    Image.fromarray(pixels).save(file)
    check.near(file.name, read(driver, "whole", [file])[0], pillow(file), 0)


def check_reduced(check: Check, driver: str, folder: Path) -> None:
    """Compares large JPEG files, decoded for a small image, with the whole ones resized to it."""
    for side in (32, 64, 224):
        for height, width, orientation in ((1500, 2000, 1), (700, 500, 6)):
            file = folder / f"large-{height}x{width}-{orientation}.jpg"
            Image.fromarray(make.photo(height, width)).save(file, quality=90,
                                                           exif=make.exif(orientation))
            whole = folder / f"whole-{height}x{width}.png"
            Image.fromarray(read(driver, "whole", [file])[0]).save(whole)
            reduced, due = read(driver, f"{side}x{side}", [file, whole])
            what = f"{file.name} reduced to {side}x{side}"
            check.near(what, reduced, due, EDGE_LEVELS)
            mean = np.abs(reduced.astype(int) - due.astype(int)).mean()
            if mean > MEAN_LEVELS:
                check.faults += 1
                print(f"{what}: differs by {mean:.2f} of 255 on average")


def main(driver: str) -> int:
    check = Check()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = make.save(folder)
        for case, ours in zip(cases, read(driver, "whole", [case.file for case in cases])):
            theirs = pillow(case.file) if case.expected is None else case.expected
            check.near(case.file.name, ours, theirs, case.bound)
        stored = [case for case in cases if "orientation" in case.file.name
                  and case.file.suffix != ".tif"]  # Pillow always turns TIFF
        for case, ours in zip(stored, read(driver, "stored", [case.file for case in stored])):
            check.near(f"{case.file.name} as stored", ours, pillow(case.file, False), 0)
        check_alpha(check, driver, folder)
        check_reduced(check, driver, folder)
    print(f"pictures: {check.checked} compared with Pillow, {check.faults} differ")
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
