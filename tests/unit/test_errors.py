import json
import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest

from clipdraw.errors import MissingExtraError, install_command

CLONE = Path(__file__).parents[2]


class Distribution:
    """An installation that came from somewhere."""

    def __init__(self, origin):
        self.origin = origin

    def read_text(self, name):
        return self.origin if name == "direct_url.json" else "else"


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'clipdraw[clip]'"),
        ({"url": "file:///home/me/a%20clone", "dir_info": {}}, "pip install '/home/me/a clone[clip]'"),
        ({"url": "file:///clone", "dir_info": {"editable": True}}, "pip install --editable '/clone[clip]'"),
        ({"url": "file:///d/clipdraw-1.whl", "archive_info": {}}, "pip install '/d/clipdraw-1.whl[clip]'"),
        ({"url": "https://host/clipdraw-1.whl", "archive_info": {}}, "pip install 'clipdraw[clip]'"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")
def test_an_extra_is_added_to_what_was_installed(origin, command, monkeypatch):
    monkeypatch.setattr(metadata, "distribution", lambda name: Distribution(origin and json.dumps(origin)))
    monkeypatch.setattr(shutil, "which", lambda name: str(Path(sys.executable).with_name("pip")))
    assert install_command("clip") == command
    assert str(MissingExtraError("a thing", extra="clip")) == f"a thing needs an optional part: {command}"
    monkeypatch.setattr(shutil, "which", lambda name: "/elsewhere/pip")
    assert install_command("clip") == f"{sys.executable} -m {command}"


def test_from_a_clone_that_is_not_installed_it_is_the_clone(monkeypatch):
    def distribution(name):
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "distribution", distribution)
    assert install_command("video").endswith(f"install '{CLONE}[video]'")
