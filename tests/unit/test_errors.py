import shutil
import sys
from importlib import metadata
from pathlib import Path

from clipdraw.errors import MissingExtraError, install_command


def test_an_extra_is_added_by_the_name_of_what_is_installed(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: "0.1.0")
    monkeypatch.setattr(shutil, "which", lambda name: str(Path(sys.executable).with_name("pip")))
    assert install_command("clip") == "pip install 'clipdraw[clip]'"
    message = "a thing needs an optional part: pip install 'clipdraw[clip]'"
    assert str(MissingExtraError("a thing", extra="clip")) == message


def test_the_command_is_that_of_this_environment(monkeypatch):
    for pip in ("/elsewhere/pip", None):
        monkeypatch.setattr(shutil, "which", lambda name, pip=pip: pip)
        assert install_command("clip") == f"{sys.executable} -m pip install 'clipdraw[clip]'"


def test_sources_that_are_not_installed_are_named_by_their_folder(monkeypatch):
    def version(name):
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", version)
    assert install_command("video").endswith(f"install '{Path(__file__).parents[2]}[video]'")
