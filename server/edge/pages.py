"""The files that the edge answers with by itself: documentation, the watch page, the contract.

What a page needs is served under a name that holds a digest of its content, so browsers may keep it
for ever. A page names such a file as `${name}` in its HTML. Anything new for the browser (another
page, a script of its own) belongs in the tables below, or Envoy does not know it.
"""

from __future__ import annotations

__all__ = ["page_routes"]

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOME = Path(__file__).parents[2]
OPENAPI = HOME / "gen" / "openapi.json"
PAGES = HOME / "envoy" / "pages"

HTML = {"/docs": "docs.html", "/redoc": "redoc.html", "/watch": "watch.html"}
"""Path → page; the same with a slash at its end is the same page."""
OWN = (
    *("docs.js", "redoc.js", "pages.css", "icon.svg"),
    *("watch.js", "watch-stream.js", "watch-tables.js", "watch.css"),
)
"""What the pages need of ours."""
VENDORED = (
    "vendor/redoc/redoc.standalone.js",
    "vendor/swagger-ui/swagger-ui-bundle.js",
    "vendor/swagger-ui/swagger-ui.css",
)
"""What they need of Swagger UI and ReDoc; `vendor/README.md` says where it comes from."""

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
STYLES = " ".join(
    [
        "'self'",
        # The empty text: ReDoc's style sheets begin empty and are filled by script.
        "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        # The one that is not, of its scroll bars. Another version of ReDoc may have another; the
        # browser then says its digest, and the tests of the pages fail until it is here.
        "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
    ]
)
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        f"style-src {STYLES}",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src blob:",  # ReDoc's search
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
"""What a page may load: nothing of another host, and no script or style written into the page."""
FOR_EVER = "public, max-age=31536000, immutable"

NAME = re.compile(r"\$\{([\w.-]+)\}")
OVERWRITE = "OVERWRITE_IF_EXISTS_OR_ADD"
LOOKING = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
SERVED = {"filter_metadata": {"unmatched": {"served": True}}}
"""Tells unmatched.lua that its route answers by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the edge answers to `path`."""

    path: str
    kind: str
    body: Mapping[str, str]
    """Envoy's `DataSource`: the text itself or the name of its file."""
    headers: Mapping[str, str] = field(default_factory=dict)


def page_routes() -> list[object]:
    """Returns the routes of everything that needs no server to answer it."""
    assets = {file.name: _asset(file) for file in (PAGES / name for name in OWN + VENDORED)}
    addresses = {name: page.path for name, page in assets.items()}
    pages = [_openapi(), *assets.values(), *(_html(path, addresses) for path in HTML)]
    return [_home(), *(_route(page) for page in pages), _other_methods(pages)]


def _home() -> object:
    return {
        "name": "home",
        "match": {"path": "/", "headers": [LOOKING]},
        "redirect": {"path_redirect": "/docs", "response_code": "FOUND"},
        "metadata": SERVED,
    }


def _openapi() -> Page:
    return Page(
        path="/openapi.json",
        kind=KINDS[OPENAPI.suffix],
        body={"filename": str(OPENAPI)},
        # The CORS filter leaves such a route alone, and there is nothing to protect.
        headers={"access-control-allow-origin": "*"},
    )


def _html(path: str, addresses: Mapping[str, str]) -> Page:
    file = PAGES / HTML[path]
    text = NAME.sub(lambda match: addresses[match[1]], file.read_text(encoding="utf-8"))
    return Page(
        path=path,
        kind=KINDS[file.suffix],
        body={"inline_string": text},
        headers={"content-security-policy": POLICY},
    )


def _asset(file: Path) -> Page:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    return Page(
        path=f"/assets/{file.stem}.{digest}{file.suffix}",
        kind=KINDS[file.suffix],
        body={"filename": str(file)},
        headers={"cache-control": FOR_EVER},
    )


def _route(page: Page) -> object:
    headers = {"content-type": page.kind, **page.headers}
    return {
        "name": page.path,
        "match": {"safe_regex": {"regex": _pattern(page)}, "headers": [LOOKING]},
        "direct_response": {"status": 200, "body": page.body},
        "response_headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": OVERWRITE}
            for key, value in headers.items()
        ],
        "metadata": SERVED,
    }


def _other_methods(pages: Iterable[Page]) -> object:
    """The same paths, asked for with another method: unmatched.lua answers 405."""
    paths = "|".join(["/", *map(_pattern, pages)])
    return {
        "name": "pages",
        "match": {"safe_regex": {"regex": paths}},
        "route": {"cluster": "server"},
        "metadata": {"filter_metadata": {"unmatched": {"allow": "GET, HEAD"}}},
    }


def _pattern(page: Page) -> str:
    return re.escape(page.path) + ("/?" if page.path in HTML else "")
