"""PDF carousels: a page for each image, for platforms that show documents page by page (LinkedIn)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from psn.errors import InvalidInput
from psn.media.facts import ImageTarget
from psn.media.fitted import Fitted, unwritable, working_file

MAX_PAGES = 300  # LinkedIn's
PAGE_WIDTH = 1080  # points; a point is shown as a pixel by the platforms that show pages
_IMAGE = ImageTarget(mime_types=("image/jpeg", "image/png"), max_bytes=8_000_000, max_width=2160, max_height=4320)


def build_carousel(images: Sequence[Path], out: Path) -> Path:
    """Bind images into a PDF, one a page, in order; the same images give the same bytes.

    All pages have the shape of the first image. One of another shape is shown whole, in the middle of a white page.

    Raises:
        InvalidInput: there are none, or too many (`media.too_many_pages`), one of them is broken, or the file cannot be written.
    """
    if not 1 <= len(images) <= MAX_PAGES:
        raise InvalidInput(
            f"A document has 1 to {MAX_PAGES} pages; {len(images)} images were given.", code="media.too_many_pages"
        )
    with working_file(out.parent, extension=".pdf") as made:
        folder = made.with_suffix("")
        try:
            folder.mkdir()
            _write(made, [_fit(image, folder) for image in images])
            made.replace(out)
        except OSError as problem:
            raise unwritable(out, problem) from problem
        finally:
            _clear(folder)
    return out


def _fit(image: Path, folder: Path) -> Fitted:
    # Imported here: it brings Pillow, and few posts have a document.
    from psn.media.images import fit_image

    return fit_image(image, _IMAGE, folder)


def _write(path: Path, pages: Sequence[Fitted]) -> None:
    from reportlab.lib.utils import ImageReader  # here for the same reason
    from reportlab.pdfgen.canvas import Canvas

    width, height = PAGE_WIDTH, round(PAGE_WIDTH / (pages[0].facts.ratio or 1), 2)
    canvas = Canvas(str(path), pagesize=(width, height), invariant=1, pageCompression=1)
    for page in pages:
        factor = min(width / page.facts.width, height / page.facts.height)
        shown = page.facts.width * factor, page.facts.height * factor
        place = (width - shown[0]) / 2, (height - shown[1]) / 2
        image = ImageReader(io.BytesIO(page.path.read_bytes()))  # given a path, it would name the image for that
        canvas.drawImage(image, *place, *shown, mask="auto")
        canvas.showPage()
    canvas.save()


def _clear(folder: Path) -> None:
    if folder.is_dir():
        for file in folder.iterdir():
            file.unlink(missing_ok=True)
        folder.rmdir()
