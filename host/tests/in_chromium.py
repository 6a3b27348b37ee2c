"""Knows where Chromium is, and what every page has to stand up to in it; knows no page.

With $HEDGEROW_SCREENSHOTS there are pictures in that folder, for whoever wants to look.
"""

import os
import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="Chromium is not installed (Debian: apt-get install chromium)"
)
SCREENSHOTS = os.environ.get("HEDGEROW_SCREENSHOTS")


async def looks_right(shown, name: str, sizes: dict[str, tuple[int, int]]) -> None:
    """At every size, light and dark: nothing sideways, nothing that axe-core has against it. Leaves it light."""
    from axe_playwright_python.async_playwright import Axe

    for size, (width, height) in sizes.items():
        await shown.set_viewport_size({"width": width, "height": height})
        for scheme in ("dark", "light"):
            await shown.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            wide = await shown.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
            assert wide[0] <= wide[1] <= width, f"{name}, {size}: {wide} of {width} pixels"
            if SCREENSHOTS:
                await shown.screenshot(path=f"{SCREENSHOTS}/{name} {size} {scheme}.png", full_page=True)
    for scheme in ("dark", "light"):
        await shown.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = await Axe().run(shown)
        assert found.violations_count == 0, found.generate_report()
