"""The folder with a model's files, for what a user names it by: a folder, or an id on the hub.

A model of the hub is taken from the local cache, or downloaded. Nothing here takes more than a few seconds to fail:
whether the hub can be reached is asked with a deadline before anything slow is imported or tried, because the hub's
own client retries for some 20 seconds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from shlex import quote
from threading import Thread
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zipfile import ZipFile, is_zipfile

from clipdraw.errors import MissingExtraError, WeightsError
from clipdraw.progress import log

if TYPE_CHECKING:
    from huggingface_hub import HfApi

SAFETENSORS, SAFETENSORS_INDEX = "model.safetensors", "model.safetensors.index.json"
"""The file of weights; and the one that lists several, where there are several."""
PICKLES = (".bin", ".pt", ".pth", ".ckpt")
"""Endings of files of pickled weights."""
PROBE_SECONDS = 1.5
"""How long the hub may take to answer at all. A first answer takes 0.1 to 0.5 s on an ordinary connection."""


_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_UNSAFE = "pickled weights, which are not loaded because they can run code"
_CONVERTER = "SFconvertbot"
"""The hub's account that offers safetensors variants of pickled weights, as pull requests."""


@dataclass(frozen=True)
class Kind:
    """A kind of model: which files it has and how messages speak of it.

    Args:
        what: its name in messages, `the encoder`.
        names: what a user may name it by, as advice to one who named it by something else.
        advice: what to do without the hub.
        files: patterns of the files that are downloaded.
        missing: the name of a file that a folder lacks to be loaded; empty if it is complete.
        pickles: whether pickled weights will do, as they are loaded by a reader that runs no code.
        safe: files of weights that are no pickles.
        weights: patterns of more files to download, for a folder with `files` and the names of all at the hub.
        hub_id: the hub's id for what a user may write instead.
    """

    what: str
    names: str
    advice: str
    files: tuple[str, ...]
    missing: Callable[[Path], str]
    pickles: bool = False
    safe: tuple[str, ...] = (SAFETENSORS, SAFETENSORS_INDEX)
    weights: Callable[[Path, Collection[str]], tuple[str, ...]] = lambda folder, there: ()
    hub_id: Callable[[str], str] = lambda name: name


def locate(name: str, kind: Kind) -> Path:
    """The folder that holds all files of a model, fetched if need be.

    Args:
        name: a folder, or a hub id.
        kind: the kind of model.

    Raises:
        WeightsError: there is no such folder, it lacks a file, or the model cannot be fetched.
        MissingExtraError: a hub id needs a part of clipdraw that is not installed.
    """
    folder = Path(name).expanduser()
    if folder.is_file():
        raise WeightsError(_about_file(folder, kind))
    if not folder.is_dir():
        model = kind.hub_id(name)
        if not is_model_id(model):
            where = "" if folder.is_absolute() else f" in {Path.cwd()}"
            raise WeightsError(f"no folder {name!r}{where}; {kind.names}")
        if find_spec("huggingface_hub") is None:
            raise MissingExtraError(f"fetching {kind.what}", extra="clip")
        return fetch(model, kind)
    missing = kind.missing(folder)
    safe = any((folder / file).is_file() for file in kind.safe)
    if missing and not (safe or kind.pickles) and has_pickles(folder):
        raise WeightsError(f"{kind.what} folder {name!r} has only {_UNSAFE}; {how_to_convert(folder)}")
    if missing:
        raise WeightsError(f"{kind.what} folder {name!r} has no {missing}; it needs all files of a checkpoint")
    return folder


def has_pickles(folder: Path) -> bool:
    """Whether a file in the folder is named as pickled weights are."""
    return any(path.suffix in PICKLES for path in folder.iterdir())


def how_to_convert(path: Path) -> str:
    """The advice to convert pickled weights, with the command."""
    return f"convert them once: clipdraw convert-weights {quote(str(path))} NEW_FOLDER, and pass the new folder"


def _about_file(path: Path, kind: Kind) -> str:
    """The kind of a file that was named in the place of a model, and advice."""
    content = content_of(path)
    if content == "safetensors" or (content and kind.pickles):
        return f"{str(path)!r} is one file of {kind.what}; pass the folder that has all of them: {path.parent}"
    if content:
        return f"{str(path)!r} holds {_UNSAFE}; {how_to_convert(path)}"
    return f"{str(path)!r} is a file that holds no weights; {kind.names}"


def content_of(path: Path) -> str:
    """The way in which a file holds weights: `safetensors`, `torchscript` or `pickle`; empty if in none of these."""
    with path.open("rb") as file:
        head = file.read(9)
    if is_zipfile(path):
        with ZipFile(path) as archive:
            names = [name.partition("/")[2] for name in archive.namelist()]
        return "" if "data.pkl" not in names else "torchscript" if "constants.pkl" in names else "pickle"
    if head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size:
        return "safetensors"
    return "pickle" if head[:1] == b"\x80" and head[1:2] <= b"\x05" else ""


def is_model_id(name: str) -> bool:
    """Whether `name` is written like a model's id on a hub: `owner/model`."""
    return _ID.fullmatch(name) is not None


def fetch(name: str, kind: Kind) -> Path:
    """The folder with the files of a model on the hub.

    A model in the local cache is taken without using the network. Respects `HF_HOME`, `HF_HUB_CACHE`,
    `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE` and the proxy variables.

    Args:
        name: the model's id, `owner/model`.
        kind: the kind of model.

    Returns:
        A folder that holds all files of its kind.

    Raises:
        WeightsError: the hub cannot be reached, has no such model, does not give it to this user,
            or has it only as pickled weights.
    """
    folder = _cached_folder(name, lambda copy: not kind.missing(copy))
    if folder is not None:
        return folder
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"
    offline = _offline_variable()
    why = f"{offline} is set" if offline else unreachable(endpoint)
    if not why:
        log.info("downloading %s %s from %s", kind.what, name, endpoint)
        return _download(name, endpoint, kind)
    pickled = None if kind.pickles else _cached_folder(name, has_pickles)
    if pickled is not None:
        raise WeightsError(
            f"{kind.what} {name!r} is in the local cache, but only as {_UNSAFE}; {how_to_convert(pickled)}"
        )
    problem = "it is not in the local cache" if offline else f"the hub {endpoint} cannot be reached"
    raise WeightsError(
        f"cannot fetch {kind.what} {name!r}: {problem} ({why}), and there is no folder of that name here; "
        f"{kind.advice}, or download the model elsewhere and pass its folder"
    )


def unreachable(url: str, *, seconds: float = PROBE_SECONDS) -> str:
    """Why nothing answers at `url`, in a few words; empty if something does, whatever it says.

    Args:
        url: an http or https address.
        seconds: how long to wait for an answer in all, name look-up included (which has no timeout of its own).
    """
    answers: SimpleQueue[str] = SimpleQueue()

    def ask() -> None:
        try:
            with urlopen(Request(url, method="HEAD"), timeout=seconds):
                answers.put("")
        except HTTPError as answer:
            answer.close()
            answers.put("")
        except (OSError, HTTPException, ValueError) as error:
            answers.put(one_line(getattr(error, "reason", error)))

    Thread(target=ask, daemon=True, name="clipdraw-hub-probe").start()
    try:
        return answers.get(timeout=seconds)
    except Empty:
        return f"no answer within {seconds:g} s"


def one_line(error: object) -> str:
    """The first line of an error's text, at most 200 characters; its type if it says nothing."""
    text = str(error).strip()
    return text.splitlines()[0][:200].rstrip(".: ") if text else type(error).__name__


def _offline_variable() -> str:
    """The environment variable that forbids the network; empty if none does."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return next((name for name in names if os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"}), "")


def _cached_folder(name: str, fits: Callable[[Path], bool]) -> Path | None:
    """The newest copy in the local cache that fits: of the main branch, else of any pull request."""
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    return next((folder for folder in _snapshots(cache) if folder.is_dir() and fits(folder)), None)


def _snapshots(cache: Path) -> Iterator[Path]:
    """The folders of a cached model's known revisions, the main branch first."""
    references = [cache / "refs" / "main", *sorted(cache.glob("refs/refs/pr/*"))]
    for reference in references:
        if reference.is_file():
            yield cache / "snapshots" / reference.read_text(encoding="utf-8").strip()


def _download(name: str, endpoint: str, kind: Kind) -> Path:
    """The folder of a model that was downloaded just now; arguments and errors as in `fetch`."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    # HfHubHTTPError inherits from the error class of the HTTP library in use (requests or httpx).
    failures: tuple[type[Exception], ...] = (OSError, ValueError, *HfHubHTTPError.__bases__)
    try:
        there = {file.rfilename for file in HfApi(endpoint=endpoint).model_info(name).siblings or []}
        revision = "main" if kind.pickles else _safe_revision(HfApi(endpoint=endpoint), name, kind, there)
        fetch_files = partial(snapshot_download, name, revision=revision, endpoint=endpoint)
        folder = Path(fetch_files(allow_patterns=list(kind.files)))
        weights = kind.weights(folder, there)
        return Path(fetch_files(allow_patterns=list(weights))) if weights else folder
    except GatedRepoError as error:
        raise WeightsError(
            f"{kind.what} {name!r} is given only to those who accept its terms: "
            f"do so at {endpoint}/{name} and set HF_TOKEN, or {kind.advice}"
        ) from error
    except RepositoryNotFoundError as error:
        raise WeightsError(
            f"no model {name!r} at {endpoint}, or it is private: check the id "
            "(for a private one set HF_TOKEN); there is no folder of that name either"
        ) from error
    except failures as error:
        raise WeightsError(
            f"cannot fetch {kind.what} {name!r} from {endpoint}: {one_line(error)}; "
            f"try again, {kind.advice}, or download the model elsewhere and pass its folder"
        ) from error


def _safe_revision(api: HfApi, name: str, kind: Kind, there: Collection[str]) -> str:
    """The revision of a model that has safetensors: its main branch, else the hub's own conversion of it.

    Conversions are taken from the hub's converter account alone: anyone can open a pull request.
    """
    if not set(kind.safe).isdisjoint(there):
        return "main"
    for discussion in api.get_repo_discussions(name):
        if discussion.is_pull_request and discussion.author == _CONVERTER and discussion.status == "open":
            return f"refs/pr/{discussion.num}"
    raise WeightsError(
        f"{kind.what} {name!r} has no weights as safetensors, only {_UNSAFE}; "
        "download its files and convert them once: clipdraw convert-weights FOLDER NEW_FOLDER, and pass the new folder"
    )
