"""Decodes the images of HALF/CLASS/*.jpg, all of one size, into arrays: images (n, height, width, 3)
and labels (n) in an .npz file. Classes and files are in alphabetical order.

    PYTHON folder_images.py HALF FILE.npz
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image


def main() -> None:
    half, file = map(Path, sys.argv[1:])
    names = sorted(folder.name for folder in half.iterdir() if folder.is_dir())
    images, labels = [], []
    for label, name in enumerate(names):
        for path in sorted((half / name).glob("*.jpg")):
            images.append(np.asarray(Image.open(path).convert("RGB")))
            labels.append(label)
    if not images:
        sys.exit(f"{half} has no CLASS/*.jpg")
    part = file.with_suffix(".part.npz")
    np.savez(part, images=np.stack(images), labels=np.array(labels))
    part.replace(file)


if __name__ == "__main__":
    main()
