import errno
import os
import stat

import pytest

from clipdraw.errors import InputError
from clipdraw.io import atomic_path, write_text


def test_the_file_appears_only_when_the_block_ends(tmp_path):
    with atomic_path(tmp_path / "a.svg") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "a.svg").exists()
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".svg"
    assert [file.name for file in tmp_path.iterdir()] == ["a.svg"]
    assert (tmp_path / "a.svg").read_text() == "new"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_keeps_the_former_file_and_leaves_nothing_else(tmp_path, error):
    (tmp_path / "a.txt").write_text("former")

    def fail():
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "former"


def test_a_missing_folder_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        write_text("x", tmp_path / "none" / "a.txt")
    with pytest.raises(InputError, match="not a regular file"):
        write_text("x", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_permissions_and_links_are_kept(tmp_path):
    former = os.umask(0o027)
    try:
        write_text("x", tmp_path / "new.txt")
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / "new.txt").stat().st_mode) == 0o640
    (tmp_path / "new.txt").chmod(0o600)
    (tmp_path / "link.txt").symlink_to(tmp_path / "new.txt")
    write_text("y", tmp_path / "link.txt")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "new.txt").read_text() == "y"
    assert stat.S_IMODE((tmp_path / "new.txt").stat().st_mode) == 0o600
