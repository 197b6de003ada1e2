"""The files that pages load from elsewhere, out of npm packages: no request leaves the machine.

What the host names stands in ``package.json`` beside this, pinned; ``npm ci`` brings it once into a folder of the
user's cache, by the lock file.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "smart-boiler-plugin"

BY_PATH = re.compile(r"/(?:npm/)?(?P<package>(?:@[\w.-]+/)?[\w.-]+)@(?P<version>[\w.-]+)(?P<path>/.*)?")
"""How jsdelivr and unpkg name a file of a package."""

BY_NAME = {
    "https://ajax.aspnetcdn.com/ajax/jQuery/jquery-3.5.1": "jquery/dist/jquery",
    "https://cdnjs.cloudflare.com/ajax/libs/font-awesome/4.7.0/": "font-awesome/",
}
"""What has a name of its own, by its beginning, and what stands in place of that."""

NOTHING = (
    # logos
    "https://artwork.lfenergy.org/",
    # tables, maps, sliders and an editor: the host's base loads them for its own pages, and none of ours has any
    "https://cdn.datatables.net/",
    "https://cdnjs.cloudflare.com/ajax/libs/floatthead/",
    "https://cdn.jsdelivr.net/npm/leaflet@",
    "https://unpkg.com/leaflet.markercluster@",
    "https://cdn.jsdelivr.net/npm/ion-rangeslider@",
    "https://cdn.jsdelivr.net/npm/@json-editor/",
)
"""What begins like this is answered by an empty file."""

EMPTY_PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="142" height="32"/>'

TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
    ".svg": "image/svg+xml",
}


def packages():
    """Return the folder of the installed packages, and why there is none; one of them is None."""
    npm = shutil.which("npm")
    names = ("package.json", "package-lock.json", ".npmrc")
    pinned = sha256(b"".join((HERE / name).read_bytes() for name in names)).hexdigest()[:12]
    folder = CACHE / f"npm-{pinned}"
    done = folder / "done"
    if done.exists():
        return folder / "node_modules", None
    if npm is None:
        return None, "npm is not installed, which brings the files that pages load"
    folder.mkdir(parents=True, exist_ok=True)
    # several processes may begin at the same moment
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            for name in names:
                shutil.copy(HERE / name, folder)
            ran = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, text=True, check=False)
            if ran.returncode:
                return None, f"npm cannot bring the files that pages load: {ran.stderr.strip()[-200:]}"
            done.touch()
    return folder / "node_modules", None


@cache
def file_of(url, modules):
    """Return type and contents of what a URL elsewhere names, out of the packages; None for what nobody knows."""
    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if parts.netloc == "fonts.gstatic.com":
        path = modules / "@fontsource/poppins/files/poppins-latin-400-normal.woff2"
        return TYPES[".woff2"], path.read_bytes()
    found = next((name + address[len(start) :] for start, name in BY_NAME.items() if address.startswith(start)), None)
    named = BY_PATH.fullmatch(parts.path)
    if found is None and named:
        own = modules / named["package"] / "package.json"
        if own.exists() and json.loads(own.read_text())["version"] == named["version"]:
            main = json.loads(own.read_text())
            found = named["package"] + (named["path"] or f"/{main.get('jsdelivr') or main['main']}")
    path = modules / found if found else None
    if path is not None and path.is_file():
        return TYPES.get(path.suffix, "application/octet-stream"), path.read_bytes()
    if address.startswith(NOTHING):
        kind = TYPES.get(Path(parts.path).suffix, "text/plain")
        return kind, EMPTY_PICTURE if "svg" in kind else ""
    return None
