"""The one door for files of any kind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from psn.errors import InvalidInput
from psn.media.facts import DocumentTarget, ImageTarget, MediaFacts, Target, VideoTarget
from psn.media.fitting import fit_media
from tests.psn.media.making import packed, pdf, picture, write_video

IMAGE = ImageTarget(("image/jpeg",), 10**6)
VIDEO = VideoTarget(("video/mp4",), 10**6)
DOCUMENT = DocumentTarget(("application/pdf",), 10**6, max_pages=3)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "image").write_bytes(packed(picture(), "PNG"))
    (tmp_path / "document").write_bytes(pdf(3))
    (tmp_path / "long").write_bytes(pdf(4))
    return {
        "image": tmp_path / "image",
        "document": tmp_path / "document",
        "long": tmp_path / "long",
        "video": write_video(tmp_path / "video.mp4"),
    }


class TestFitMedia:
    def test_sends_every_file_the_right_way(self, files: dict[str, Path], tmp_path: Path) -> None:
        image = fit_media(files["image"], IMAGE, tmp_path / "out")
        assert (image.mime_type, image.changes) == ("image/jpeg", ["Converted from PNG to JPEG."])
        video = fit_media(files["video"], VIDEO, tmp_path / "out")
        assert (video.path, video.mime_type, video.changes) == (files["video"], "video/mp4", [])
        document = fit_media(files["document"], DOCUMENT, tmp_path / "out")
        assert (document.path, document.facts) == (files["document"], MediaFacts(pages=3))

    @pytest.mark.parametrize(
        ("name", "target", "code"),
        [
            ("image", VIDEO, "media.type"),
            ("image", DOCUMENT, "media.type"),
            ("video", IMAGE, "media.type"),
            ("document", IMAGE, "media.type"),
            ("long", DOCUMENT, "media.too_many_pages"),
            ("document", DocumentTarget(("application/msword",), 10**6), "media.type"),
            ("document", DocumentTarget(("application/pdf",), 10), "media.too_large"),
        ],
    )
    def test_refuses_what_the_platform_does_not_take_there(
        self, files: dict[str, Path], tmp_path: Path, name: str, target: Target, code: str
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            fit_media(files[name], target, tmp_path / "out")
        assert refused.value.error_code == code
        assert refused.value.message.endswith(".")

    def test_costs_nothing_until_there_is_a_file(self) -> None:
        code = "import sys, psn.media.fitting, psn.media.documents, psn.media.addresses, psn.text.splitting\n"
        code += (
            "print(*(name for name in ('PIL', 'av', 'reportlab', 'regex', 'httpx2', 'zipfile') if name in sys.modules))"
        )
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == ""
