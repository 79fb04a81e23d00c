"""What a user has told W&B is understood however it is written, and named where it cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from algos.tracking.wandb_settings import lend_home, prepare, refused, switched


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home and a folder in which nobody has told W&B anything."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in ("WANDB_MODE", "WANDB_SILENT", "WANDB_ERROR_REPORTING"):
        monkeypatch.setenv(name, "")  # so that it is taken back what `prepare` sets
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def write(folder: str, text: str | bytes) -> None:
    path = Path(folder, "settings")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *((word, "disabled") for word in ("disabled", "Off", "FALSE", "0", "no", " none ")),
        *((word, "offline") for word in ("offline", "Offline", "dryrun", "dry_run", "DRY-RUN")),
        *((word, None) for word in ("online", "run", "", "onlin")),
    ],
)
def test_a_mode_may_be_written_in_any_way(
    monkeypatch: pytest.MonkeyPatch, written: str, meant: str | None
) -> None:
    write("wandb", f"[default]\nmode = {written}\n")
    prepare()
    assert switched() == meant
    write("wandb", "[default]\nmode = disabled\n")
    monkeypatch.setenv("WANDB_MODE", written)
    prepare()
    assert switched() == (meant if written else "disabled")  # variables go before files


@pytest.mark.parametrize("on", ["true", "1", "YES", "x"])
def test_the_old_switch_is_one_too(monkeypatch: pytest.MonkeyPatch, on: str) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_DISABLED", on)
    assert switched() == "disabled"
    for off in ("false", "0", "No", ""):
        monkeypatch.setenv("WANDB_DISABLED", off)
        prepare()
        assert switched() is None


def test_the_file_of_the_folder_goes_before_the_one_for_all() -> None:
    write(".config/wandb", "[default]\nmode = Disabled\n")
    write("wandb", "[default]\nproject = x\n")
    prepare()
    assert switched() == "disabled"
    write("wandb", "[default]\nmode = offline\n")
    assert switched() == "offline"


def test_the_folder_for_wandb_is_where_its_file_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    write("wandb", "[default]\nmode = disabled\n")
    monkeypatch.setenv("WANDB_DIR", "elsewhere")
    prepare()
    assert switched() is None
    write("elsewhere/wandb", "[default]\nmode = offline\n")
    assert switched() == "offline"
    write("elsewhere/.wandb", "[default]\nmode = disabled\n")
    assert switched() == "disabled"
    assert refused() == {}
    for name in ("WANDB_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, "wandb/settings")
        assert refused() == {name: f"{name}=wandb/settings (it is no folder that can be read)"}
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("WANDB_INIT_TIMEOUT", "20s", "WANDB_INIT_TIMEOUT=20s (input should be a valid number"),
        ("WANDB_FINISH_TIMEOUT", "inf", "WANDB_FINISH_TIMEOUT=inf (it must be a number of seconds"),
        ("WANDB_MODE", "onlin", "WANDB_MODE=onlin (input should be 'online', 'offline'"),
        ("WANDB_RUN_ID", "a/b", "WANDB_RUN_ID=a/b (Run ID cannot contain the characters"),
        ("WANDB_PROJECT", "a/b", "WANDB_PROJECT=a/b (Invalid project name"),
        ("WANDB_BASE_URL", "wandb.here", "WANDB_BASE_URL=wandb.here (input should be a valid URL"),
        ("WANDB_API_KEY", "secret\n", "WANDB_API_KEY (API key cannot start or end with white"),
        ("WANDB_NOTES", "caf\udce9", "WANDB_NOTES=caf\\udce9 (it is no UTF-8"),
    ],
)
def test_a_variable_that_wandb_refuses_is_named_with_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv("WANDB_TAGS", "a,b")
    monkeypatch.setenv("WANDB_NOTES", "two\nlines")
    monkeypatch.setenv(name, value)
    prepare()
    (problem,) = refused().values()
    assert told in problem
    assert "secret" not in problem


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[default]\nmode = Online\n", "mode=Online in wandb/settings (input should be 'online'"),
        ("[default]\nmod = offline\n", "mod=offline in wandb/settings (extra inputs"),
        ("[default]\napi_key = ' secret'\nbase_url = x\n", "base_url=x in wandb/settings"),
        ("mode = offline\n", "wandb/settings (File contains no section headers"),
        (b"[default]\nproject = \xe9\n", "wandb/settings ('utf-8' codec"),
    ],
)
def test_a_settings_file_that_wandb_passes_over_is_named(text: str | bytes, told: str) -> None:
    write("wandb", text)
    prepare()
    (problem,) = refused().values()
    assert told in problem


def test_what_wandb_reads_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    write("wandb", "[default]\nmode = Offline\nignore_globs = a,b\nentity = us\n")
    monkeypatch.setenv("WANDB_ENTITY", "us")
    monkeypatch.setenv("WANDB_RESUME", "")
    prepare()
    assert refused() == {}
    assert os.environ["WANDB_ENTITY"] == "us"
    assert "WANDB_RESUME" not in os.environ


def test_a_home_that_cannot_be_written_is_not_where_files_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WANDB_CACHE_DIR", "")
    prepare()
    monkeypatch.setenv("HOME", "/nowhere")
    lend_home(tmp_path)
    assert os.environ["WANDB_CACHE_DIR"] == str(tmp_path / ".cache")
    assert os.environ["HOME"] == "/nowhere"


@pytest.mark.parametrize("name", ["HOME", "XDG_CACHE_HOME", "WANDB_CACHE_DIR"])
def test_nor_is_a_place_that_is_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("WANDB_CACHE_DIR", "")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (tmp_path / "file").touch()
    monkeypatch.setenv(name, str(tmp_path / "file"))
    prepare()
    lend_home(tmp_path / "own")
    assert os.environ["WANDB_CACHE_DIR"] == str(tmp_path / "own" / ".cache")
