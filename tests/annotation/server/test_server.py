"""The real server: how it starts, who gets in, what it leaves behind, and that it tells nobody."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from annotation.server import home, launch
from annotation.server.backup import backup
from annotation.server.errors import ServerError
from annotation.server.launch import Running, Start, running
from tests.annotation.server.talk import TEXT, log, make_dataset, post, sign_in, talk

DOOR = """
import typer
from annotation.server import server_cli as commands
app = typer.Typer()
for command in (commands.serve, commands.backup, commands.restore):
    app.command()(command)
app()
"""


def test_it_starts_in_an_empty_folder_and_the_owner_signs_in(server: Running) -> None:
    print(f"\nstarted in {server.seconds} s")  # noqa: T201 - to be read
    assert server.password is not None
    assert sign_in(server, "owner", server.password).status_code == 201
    assert sign_in(server, "owner", "wrong").status_code == 401
    with talk(server) as client:
        me = client.get("me").json()
        assert (me["username"], me["role"]) == ("owner", "owner")
        assert client.get("status").json()["version"] == "2.8.0"
    page = httpx.get(server.url, trust_env=False)
    assert "<title>Argilla</title>" in page.text
    assert httpx.get(f"{server.url}/api/v1/me", trust_env=False).status_code == 401


def test_a_second_server_on_the_same_home_is_refused(server: Running, environment_folder: Path) -> None:
    with pytest.raises(ServerError, match=rf"already running in .*{server.url}.*--home"):
        launch.become(server.places.path, Start(port=0), lambda _: None, environment_folder)
    with pytest.raises(ServerError, match="already running"), running(server.places.path, folder=environment_folder):
        pass
    assert home.credentials(server.places.path).url == server.url


def test_a_taken_port_is_named(server: Running, tmp_path: Path, environment_folder: Path) -> None:
    port = server.start.port
    with (
        pytest.raises(ServerError, match=rf"127\.0\.0\.1:{port} cannot be listened on .*--port"),
        running(tmp_path / "home", port, folder=environment_folder),
    ):
        pass


def test_it_listens_to_this_machine_only_and_shows_no_documentation(server: Running) -> None:
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.1", server.start.port)) == 0
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", server.start.port)) != 0  # this machine too, by another name
    for path in ("/docs", "/openapi.json", "/api/v1/docs", "/api/v1/redoc", "/api/v1/openapi.json"):
        answer = httpx.get(server.url + path, trust_env=False)
        assert "swagger" not in answer.text.lower(), path
        assert '"openapi"' not in answer.text, path


def test_scripts_of_other_pages_may_not_read_it(server: Running) -> None:
    asked = {"Origin": "http://elsewhere.example", "Access-Control-Request-Method": "GET"}
    answer = httpx.options(f"{server.url}/api/v1/me", headers=asked, trust_env=False)
    assert "access-control-allow-origin" not in answer.headers


def test_its_files_are_private(server: Running) -> None:
    places = server.places
    for path in (places.secret, places.owner, places.database, places.jobs, places.log, places.address):
        assert path.stat().st_mode & 0o077 == 0, path
    assert len(list(places.tmp.iterdir())) == 1  # the copy of the web page, in a place that is cleaned


def test_text_is_stored_as_it_is_and_the_database_keeps_a_log_ahead(server: Running) -> None:
    with talk(server) as client:
        dataset = make_dataset(client, "stored")
        log(client, dataset, 1)
        half = {"external_id": "half", "fields": {"text": "x"}, "metadata": {"note": "\ud800 half a pair"}}
        content = json.dumps({"items": [half]})
        answer = client.put(
            f"datasets/{dataset}/records/bulk", content=content, headers={"content-type": "application/json"}
        )
        assert answer.status_code < 500, answer.text
    with closing(sqlite3.connect(server.places.database)) as db:
        stored = db.execute("select fields from records where external_id = 'item-0'").fetchone()[0]
        assert TEXT in stored
        assert db.execute("pragma journal_mode").fetchone()[0] == "wal"


def test_only_members_of_the_workspace_may_answer(server: Running) -> None:
    with talk(server) as client:
        dataset = make_dataset(client, "members")
        first, second = log(client, dataset, 2)
        user = {"first_name": "A", "username": "annotator", "password": "twelve-or-so", "role": "annotator"}
        made = post(client, "users", user)
        workspace = client.get(f"datasets/{dataset}").json()["workspace_id"]
        value = {"status": "submitted", "values": {"ok": {"value": "yes"}}}
        with talk(server, made["api_key"]) as annotator:
            assert annotator.post(f"records/{first}/responses", json=value).status_code == 403
            post(client, f"workspaces/{workspace}/users", {"user_id": made["id"]})
            assert annotator.post(f"records/{first}/responses", json=value).status_code == 201
            assert annotator.post(f"records/{first}/responses", json=value).status_code == 409
            assert client.delete(f"workspaces/{workspace}/users/{made['id']}").is_success
            assert annotator.post(f"records/{second}/responses", json=value).status_code == 403


def test_sessions_and_the_owner_outlive_a_kill(server: Running) -> None:
    token = sign_in(server, "owner", server.password).json()["access_token"]
    key, address = server.owner_key, server.url
    (server.places.tmp / "left behind").touch()
    server.kill9()
    assert home.credentials(server.places.path).url is None
    server.restart()
    assert (server.owner_key, server.url) == (key, address)
    answer = httpx.get(f"{server.url}/api/v1/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert answer.json()["username"] == "owner"
    assert not (server.places.tmp / "left behind").exists()
    assert sign_in(server, "owner", server.password).status_code == 201


def test_a_new_password_takes_the_place_of_a_lost_one(server: Running) -> None:
    old = server.password
    server.start = Start(**{**vars(server.start), "new_password": True})
    server.restart()
    assert server.password != old
    assert sign_in(server, "owner", old).status_code == 401
    assert sign_in(server, "owner", server.password).status_code == 201


def test_nothing_was_logged_but_what_must_be(server: Running) -> None:
    assert "Traceback" not in server.log()
    assert "locked" not in server.log()


def test_the_command_is_one_process_that_stops_cleanly_and_calls_nobody(
    tmp_path: Path, environment_folder: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        through = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        variables = {**os.environ, "ANNOTATION_ENVIRONMENT": str(environment_folder), "HTTP_PROXY": through}
        variables |= {"HTTPS_PROXY": through, "ALL_PROXY": through, "NO_PROXY": "", "HF_HUB_DISABLE_TELEMETRY": "0"}
        variables |= {"PYTHONPATH": str(Path(launch.__file__).parents[2]), "ARGILLA_SEARCH_ENGINE": "elasticsearch"}
        command = [sys.executable, "-c", DOOR, "serve", "--port", "0", "--home", "h", "--json"]
        process = subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            assert told["pid"] == process.pid
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            assert not children.exists() or children.read_text() == ""
            key = json.loads(Path(told["owner_file"]).read_text())["api_key"]
            answer = httpx.get(f"{told['url']}/api/v1/me", headers={"X-Argilla-Api-Key": key}, trust_env=False)
            assert answer.json()["username"] == told["owner"] == "owner"
            assert told["password"] not in Path(told["owner_file"]).read_text()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert process.stdout.read() == ""
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        proxy.settimeout(0.2)
        with pytest.raises(TimeoutError):
            proxy.accept()
    left = {path.name for path in (tmp_path / "h").iterdir()}
    assert not left & {"tmp", "address.json"}


def test_a_database_of_another_release_is_refused(server: Running, tmp_path: Path, environment_folder: Path) -> None:
    other = home.make(tmp_path / "home")
    backup(server.places.path, other.database)
    with closing(sqlite3.connect(other.database)) as db, db:
        db.execute("update alembic_version set version_num = 'ffffffffffff'")
    with (
        pytest.raises(ServerError, match=r"argilla\.db cannot be migrated: .*ffffffffffff.*restore a backup"),
        running(other.path, folder=environment_folder),
    ):
        pass
