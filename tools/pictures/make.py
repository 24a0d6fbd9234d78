"""Makes the pictures for check.py: save(folder) -> [Case]."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 37, 53
ORIENTATION = 0x0112


@dataclass
class Case:
    file: Path
    bound: int = 0            # largest difference in grey levels
    expected: np.ndarray = None  # in place of Pillow's pixels


def photo(height=HEIGHT, width=WIDTH, seed=0) -> np.ndarray:
    """Returns soft shapes, edges and some noise, in 8-bit RGB."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [128 + 90 * np.sin(7 * x * (c + 1) + 5 * y + c) for c in range(3)]
    image = np.stack(waves, -1) + random.normal(0, 6, (height, width, 3))
    image[height // 4:height // 2, width // 3:width // 2] = (230, 30, 60)
    return np.clip(image, 0, 255).astype(np.uint8)


def alpha(height=HEIGHT, width=WIDTH) -> np.ndarray:
    return np.add.outer(np.arange(height) * 5, np.arange(width) * 3).astype(np.uint8)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunk(png: bytes, name: bytes, data: bytes) -> bytes:
    """Puts a chunk after the header."""
    return png[:33] + chunk(name, data) + png[33:]


def png16(pixels: np.ndarray) -> bytes:
    """Returns a PNG of 16 bits a channel, which Pillow does not write in colour."""
    height, width, channels = pixels.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour,
                                                             0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[ORIENTATION] = orientation
    return block


def bmp(bits: int, rows: bytes, masks=(), top_down=False, palette=b"", compression=None,
        height=HEIGHT, width=WIDTH) -> bytes:
    """Returns a BMP with a header of 40 bytes, or 108 with four masks."""
    size = 108 if len(masks) == 4 else 40
    extra = struct.pack(f"<{len(masks)}I", *masks)
    if size == 108:
        extra = extra.ljust(68, b"\0")
    start = 14 + 40 + len(extra) + len(palette)
    if compression is None:
        compression = 3 if masks else 0
    info = struct.pack("<IiiHHIIiiII", size, width, -height if top_down else height, 1, bits,
                       compression, len(rows), 0, 0, len(palette) // 4, 0)
    return (b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + info + extra + palette
            + rows)


def rows_of(numbers: np.ndarray) -> bytes:
    """Pads rows to four bytes, the last row first."""
    return b"".join(row.tobytes() + b"\0" * (-row.nbytes % 4) for row in numbers[::-1])


def rle8(indices: np.ndarray) -> bytes:
    packed = b""
    for row in indices[::-1]:
        at = 0
        while at < len(row):
            run = 1
            while at + run < len(row) and run < 255 and row[at + run] == row[at]:
                run += 1
            packed += bytes([run, row[at]])
            at += run
        packed += b"\0\0"
    return packed + b"\0\1"


def save(folder: Path) -> list[Case]:
    cases = []
    rgb = Image.fromarray(photo())
    grey = rgb.convert("L")
    rgba = Image.fromarray(np.dstack([photo(), alpha()]))
    grey_alpha = Image.merge("LA", [grey, Image.fromarray(alpha())])
    palette = rgb.quantize(60)
    flat = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 128))

    def add(name, image, bound=0, expected=None, **options):
        file = folder / name
        if isinstance(image, bytes):
            file.write_bytes(image)
        else:
            image.save(file, **options)
        cases.append(Case(file, bound, expected))

    # JPEG
    for subsampling in (0, 1, 2):
        add(f"subsampling{subsampling}.jpg", rgb, subsampling=subsampling, quality=90)
    add("grey.jpg", grey)
    add("progressive.jpg", rgb, progressive=True)
    add("cmyk.jpg", rgb.convert("CMYK"), 1, quality=95)
    for orientation in range(1, 9):
        add(f"orientation{orientation}.jpg", rgb, exif=exif(orientation))
    add("named.png.jpg", rgb)
    # PNG
    add("rgb.png", rgb)
    add("grey.png", grey)
    add("one-bit.png", rgb.convert("1"))
    add("palette.png", palette)
    add("palette-4.png", rgb.quantize(9))
    add("palette-transparent.png", palette, transparency=3)
    add("palette-half.png", palette, transparency=bytes(range(0, 240, 4)))
    add("rgb-transparent.png", rgb, transparency=(230, 30, 60))
    add("rgba.png", rgba)
    add("grey-alpha.png", grey_alpha)
    add("flat-half.png", flat)
    add("orientation6.png", rgb, exif=exif(6))
    plain = (folder / "rgb.png").read_bytes()
    for gamma in (55556, 45455, 100000):
        add(f"gamma{gamma}.png", with_chunk(plain, b"gAMA", struct.pack(">I", gamma)))
    half = (folder / "rgba.png").read_bytes()
    add("gamma-rgba.png", with_chunk(half, b"gAMA", struct.pack(">I", 100000)))
    add("srgb.png", with_chunk(plain, b"sRGB", b"\0"))
    white_point = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
    add("chromaticity.png", with_chunk(with_chunk(plain, b"cHRM", white_point), b"gAMA",
                                       struct.pack(">I", 55556)))
    deep = np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH, 3))
    rounded = ((deep * 255 + 32767) // 65535).astype(np.uint8)
    add("16-bit.png", png16(deep), expected=rounded)
    add("16-bit-grey.png", png16(deep[..., :1]), expected=np.repeat(rounded[..., :1], 3, -1))
    # WebP
    add("lossless.webp", rgb, lossless=True)
    add("lossy.webp", rgb, quality=80)
    add("rgba-lossless.webp", rgba, lossless=True, exact=True)
    add("rgba-lossy.webp", rgba, quality=80)
    add("orientation8.webp", rgb, lossless=True, exif=exif(8))
    moved = Image.fromarray(photo(seed=2))
    add("animated.webp", rgb, lossless=True, save_all=True, append_images=[moved], duration=100)
    # BMP
    add("rgb.bmp", rgb)
    add("grey.bmp", grey)
    add("one-bit.bmp", rgb.convert("1"))
    add("palette.bmp", palette)
    colours = photo().astype(np.uint32)
    r, g, b = colours[..., 0], colours[..., 1], colours[..., 2]
    add("555.bmp", bmp(16, rows_of(((r >> 3 << 10) | (g >> 3 << 5) | b >> 3).astype("<u2"))))
    add("565.bmp", bmp(16, rows_of(((r >> 3 << 11) | (g >> 2 << 5) | b >> 3).astype("<u2")),
                       (0xf800, 0x7e0, 0x1f)))
    bgra = (alpha().astype(np.uint32) << 24) | (r << 16) | (g << 8) | b
    add("32-bit.bmp", bmp(32, rows_of(bgra.astype("<u4"))))
    add("32-bit-alpha.bmp", bmp(32, rows_of(bgra.astype("<u4")),
                                (0xff0000, 0xff00, 0xff, 0xff000000)))
    add("top-down.bmp", bmp(24, rows_of(np.ascontiguousarray(photo()[::-1, :, ::-1])),
                            top_down=True))
    indices = np.asarray(rgb.quantize(8))
    entries = np.zeros((256, 4), np.uint8)
    entries[:8, :3] = np.array(rgb.quantize(8).getpalette()[:24]).reshape(8, 3)[:, ::-1]
    add("rle8.bmp", bmp(8, rle8(indices), palette=entries.tobytes(), compression=1))
    # GIF
    add("palette.gif", palette)
    add("transparent.gif", palette, transparency=5)
    add("grey.gif", grey)
    add("interlaced.gif", palette, interlace=1)
    add("animated.gif", palette, save_all=True, append_images=[moved.quantize(60)], duration=100)
    # TIFF
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        add(f"{compression}.tif", rgb, compression=compression)
    add("jpeg.tif", rgb, 1, compression="jpeg", quality=90)
    add("grey.tif", grey)
    add("one-bit.tif", rgb.convert("1"), compression="group4")
    add("palette.tif", palette)
    add("rgba.tif", rgba, 1)
    add("cmyk.tif", rgb.convert("CMYK"), 1)
    add("orientation6.tif", rgb, tiffinfo={ORIENTATION: 6})
    add("orientation3.tif", rgb, tiffinfo={ORIENTATION: 3})
    add("16-bit-grey.tif", Image.fromarray(deep[..., 0].astype(np.uint16)),
        bound=1, expected=np.repeat(rounded[..., :1], 3, -1))
    add("pages.tif", rgb, save_all=True, append_images=[moved])
    return cases
