import hashlib
import http.server
import io
import tarfile
import threading

import numpy as np
import pytest

import sluice
from sluice import _download


def test_images_that_sluice_draws(capsys):
    data = sluice.load_data("builtin", train_images=40, test_images=20)
    assert "drawn by sluice" in capsys.readouterr().out
    assert data.x_train.shape == (40, 32, 32, 3) and data.x_train.dtype == np.uint8
    assert data.y_test.shape == (20,) and data.class_names[3] == "cat"
    assert len(data.x_validation) == len(data.y_validation) == 0
    assert "40 images to train on" in repr(data)
    assert "<td>cat</td>" in data._repr_html_()


def test_a_folder_of_pictures(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for half, count in (("train", 6), ("test", 2), ("val", 1)):
        for shade, name in ((40, "dark"), (200, "light")):
            folder = tmp_path / "photos" / half / name
            folder.mkdir(parents=True)
            for i in range(count):
                picture = np.full((20, 30, 3), shade + 10 * i + len(half), np.uint8)
                image.fromarray(picture).save(folder / f"{i}.png")
    data = sluice.load_data(tmp_path / "photos", image_size=16, channels=1, verbose=0)
    assert data.class_names == ["dark", "light"]
    assert data.x_train.shape == (12, 16, 16, 1)
    assert len(data.x_test) == 4 and len(data.x_validation) == 2
    assert (data.x_test[data.y_test == 1] > 150).all()


@pytest.mark.parametrize(
    ("place", "options", "message"),
    [
        ("absent", {}, "absent"),
        ("builtin", {"image_sise": 32}, "image_sise"),
        ("builtin", {"train_images": -1}, "train_images"),
    ],
)
def test_mistakes_are_told(place, options, message):
    with pytest.raises(sluice.UserError, match=message):
        sluice.load_data(place, **options)


class _Ranges(http.server.BaseHTTPRequestHandler):
    """Serves `archive`; the first answer ends in the middle."""

    archive = b""
    begins: list[int] = []

    def do_GET(self):
        begin = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(self.archive) - begin))
        self.end_headers()
        self.begins.append(begin)
        end = len(self.archive) if len(self.begins) > 1 else len(self.archive) // 2
        self.wfile.write(self.archive[begin:end])

    def log_message(self, *arguments):
        pass


def test_an_interrupted_download_goes_on(tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in ("cifar/data_batch_1.bin", "cifar/../../evil.bin", "cifar/readme.html"):
            content = np.random.default_rng(0).bytes(100_000)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    _Ranges.archive, _Ranges.begins = buffer.getvalue(), []
    server = http.server.HTTPServer(("127.0.0.1", 0), _Ranges)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/cifar.tar.gz"
    md5 = hashlib.md5(_Ranges.archive).hexdigest()
    folder = tmp_path / "cache" / "cifar"
    lines = []
    with pytest.raises(sluice.MachineError, match="ended after .* try again, it goes on"):
        _download.fetch(folder, lines.append, url, md5)
    assert not folder.exists(), "nothing half-written under its final name"
    _download.fetch(folder, lines.append, url, md5)
    assert sorted(file.name for file in folder.iterdir()) == ["data_batch_1.bin", "evil.bin"]
    assert _Ranges.begins == [0, len(_Ranges.archive) // 2]
    assert lines == [f"data: downloading {url}"] * 2
    _download.fetch(folder, lines.append, url, md5)
    assert len(_Ranges.begins) == 2, "it is there"
    with pytest.raises(sluice.MachineError, match="has the MD5 .*deleted it"):
        _download.fetch(tmp_path / "cache" / "other", lines.append, url, "0")
    server.shutdown()
    with pytest.raises(sluice.MachineError, match="download"):
        _download.fetch(tmp_path / "cache" / "other", lines.append, "http://127.0.0.1:1/", md5)
