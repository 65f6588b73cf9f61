"""Suites from the Hugging Face Hub: the data files of a dataset repository, kept in the Hub's own cache.

    folder, commit = fetch("gaokerena/MF3QA")
    folder, commit = fetch("MohammadJRanjbar/PersianMedQA", "main")     # gated: HF_TOKEN of an account let in

`HF_ENDPOINT`, `HF_HOME` and `HF_TOKEN` mean what they mean to huggingface_hub. Where the network fails, a copy fetched
earlier serves. Not covered: datasets made by a script, and other file types than `suite_files.SUFFIXES`.
"""

from __future__ import annotations

from pathlib import Path

from gaokerena.evaluation.suite_files import SUFFIXES, SuiteError

PREFIX = "hub:"
REPOSITORIES = {"mf3qa": "gaokerena/MF3QA", "persianmedqa": "MohammadJRanjbar/PersianMedQA"}
"""Where a suite is published, as far as it is known; the choice suites have no certain place, so name one: `hub:…`."""


def parse(name: str) -> tuple[str, str | None]:
    """`hub:owner/dataset@revision` as repository and revision. Raises SuiteError for another form."""
    repository, _, revision = name.removeprefix(PREFIX).partition("@")
    owner, _, dataset = repository.partition("/")
    if not owner or not dataset or "/" in dataset:
        raise SuiteError(
            f"{name}: no dataset of the Hub; write {PREFIX}owner/dataset or {PREFIX}owner/dataset@revision"
        )
    return repository, revision or None


def fetch(repository: str, revision: str | None = None) -> tuple[Path, str]:
    """The folder of the dataset's data files on this machine, and the commit they are of. Raises SuiteError."""
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        found = snapshot_download(
            repository, repo_type="dataset", revision=revision, allow_patterns=[f"*{suffix}" for suffix in SUFFIXES]
        )
    except HfHubHTTPError as error:
        raise SuiteError(_refused(repository, revision, error.response.status_code)) from error
    except HFValidationError as error:
        raise SuiteError(f"{PREFIX}{repository}: {error}; write {PREFIX}owner/dataset") from error
    except (LocalEntryNotFoundError, httpx.HTTPError, OSError) as error:
        cause = str(error).strip().split("\n")[0]
        raise SuiteError(
            f"{PREFIX}{repository}: the Hub gave no files and there is no copy here ({cause}); check the network and "
            "HF_ENDPOINT, try again later, or give a folder with the files"
        ) from error
    return Path(found), Path(found).name


def _refused(repository: str, revision: str | None, status: int) -> str:
    """What the Hub's answer means: it says 401 also for a repository that does not exist."""
    from huggingface_hub import constants

    page = f"{constants.ENDPOINT}/datasets/{repository}"
    if status in (401, 403):
        return (
            f"{PREFIX}{repository}: the Hub answered {status}; ask for access on {page} (or check the name there), "
            "then set HF_TOKEN to a token of the account that was let in"
        )
    if status == 404:
        at = f" at revision {revision}" if revision else ""
        return f"{PREFIX}{repository}: the Hub has no such dataset{at}; check the name on {page}"
    return f"{PREFIX}{repository}: the Hub answered {status}; try again later, or give a folder with the files"
