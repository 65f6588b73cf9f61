"""Doctors' accounts: passwords shown once, pseudonyms, nothing written that should not be."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from annotation import users_cli
from annotation.client import BrokenError
from annotation.users import Pseudonyms, UserError, add_users, list_users, new_password, reset_password
from tests.annotation.push_cases import FakeArgilla


@pytest.fixture
def people(tmp_path: Path) -> Pseudonyms:
    return Pseudonyms(tmp_path / "runs")


def test_doctors_are_made_with_passwords_and_seated(fake: FakeArgilla, people: Pseudonyms) -> None:
    with fake.client() as argilla:
        accounts = list(add_users(argilla, "doctors", ["sara", "reza"], "annotator", people))
    assert [account.role for account in accounts] == ["annotator"] * 2
    assert fake.passwords == {account.username: account.password for account in accounts}
    assert len({account.password for account in accounts}) == 2
    place = fake.workspaces[0]["id"]
    assert {name for _, name in fake.members} == {user["id"] for user in fake.users[1:]}
    assert {where for where, _ in fake.members} == {place}


def test_no_password_is_written_anywhere(
    fake: FakeArgilla, people: Pseudonyms, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with fake.client() as argilla:
        [account] = add_users(argilla, "doctors", ["sara"], "annotator", people)
        renewed = reset_password(argilla, "sara", people)
    written = b"".join(path.read_bytes() for path in people.path.parent.iterdir()).decode() + caplog.text
    for password in (account.password, renewed.password):
        assert password
        assert password not in written
    assert "sara" in written  # it was looked through


def test_adding_again_changes_no_password(fake: FakeArgilla, people: Pseudonyms) -> None:
    with fake.client() as argilla:
        [first] = add_users(argilla, "doctors", ["sara"], "annotator", people)
        again = list(add_users(argilla, "doctors", ["sara", "sara", "reza"], "annotator", people))
    assert [(account.username, account.password is None) for account in again] == [("sara", True), ("reza", False)]
    assert fake.passwords["sara"] == first.password
    assert len(fake.members) == len(set(fake.members)) == 2


def test_a_reset_gives_another_password(fake: FakeArgilla, people: Pseudonyms) -> None:
    with fake.client() as argilla:
        [first] = add_users(argilla, "doctors", ["sara"], "annotator", people)
        renewed = reset_password(argilla, "sara", people)
        assert fake.passwords["sara"] == renewed.password != first.password
        with pytest.raises(UserError, match=r"'mina'.*users add"):
            reset_password(argilla, "mina", people)


def test_everybody_is_listed_with_a_pseudonym_and_no_key(fake: FakeArgilla, people: Pseudonyms) -> None:
    with fake.client() as argilla:
        list(add_users(argilla, "doctors", ["sara"], "annotator", people))
        accounts = list_users(argilla, "doctors", people)
    assert [(one.username, one.role, one.member) for one in accounts] == [
        ("owner", "owner", False),
        ("sara", "annotator", True),
    ]
    assert all(one.password is None for one in accounts)
    assert accounts[1].pseudonym == people.of("sara")


@pytest.mark.parametrize("name", ["", "دکتر", "a b", "-x", "x" * 41, "a/b", "sara\n"])
def test_a_name_that_argilla_or_a_file_would_trip_over_is_refused(
    fake: FakeArgilla, people: Pseudonyms, name: str
) -> None:
    with fake.client() as argilla, pytest.raises(UserError, match="user name"):
        list(add_users(argilla, "doctors", ["sara", name], "annotator", people))
    assert not fake.sent


def test_a_pseudonym_stays_and_says_nothing(people: Pseudonyms, tmp_path: Path) -> None:
    first = people.of("sara")
    assert first == people.of("sara") == Pseudonyms(tmp_path / "runs").of("sara")
    assert "sara" not in first
    assert first != people.of("reza")
    assert first != Pseudonyms(tmp_path / "others").of("sara")  # another salt
    assert people.path.stat().st_mode & 0o777 == 0o600
    assert json.loads(people.path.read_text())["users"]["sara"] == first


def test_a_renamed_account_keeps_its_pseudonym(people: Pseudonyms, tmp_path: Path) -> None:
    first = people.of("sara")
    assert people.who("u1", "sara") == first
    again = Pseudonyms(tmp_path / "runs")
    assert again.who("u1", "sara-karimi") == again.who("u1", None) == first
    assert again.who("u2", None) == again.who("u2", "reza") != first  # met by somebody who could not see the name
    assert again.accounts(first) == {"u1"}


def test_a_password_made_before_an_error_is_told(
    fake: FakeArgilla, people: Pseudonyms, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(request: httpx2.Request) -> httpx2.Response | None:
        second = request.method == "POST" and request.url.path.endswith("/users") and b"reza" in request.content
        return httpx2.Response(500, json={"detail": "full"}) if second else None

    fake.before = full
    with fake.client() as argilla, pytest.raises(BrokenError):
        users_cli._print(add_users(argilla, "doctors", ["sara", "reza"], "annotator", people), as_json=True)
    [told] = json.loads(capsys.readouterr().out)["users"]
    assert (told["username"], told["password"]) == ("sara", fake.passwords["sara"])


def test_an_account_of_another_role_is_not_taken_for_it(fake: FakeArgilla, people: Pseudonyms) -> None:
    with fake.client() as argilla:
        list(add_users(argilla, "doctors", ["sara"], "annotator", people))
        with pytest.raises(UserError, match=r"'sara' is there as annotator, not admin: give --role annotator"):
            list(add_users(argilla, "doctors", ["reza", "sara"], "admin", people))
    assert [user["username"] for user in fake.users] == ["owner", "sara"]


def test_a_name_that_another_command_takes_meanwhile_is_seated(fake: FakeArgilla, people: Pseudonyms) -> None:
    def taken(request: httpx2.Request) -> httpx2.Response | None:
        if request.method == "POST" and request.url.path == "/api/v1/users":
            fake.users.append({"id": "u9", "username": "sara", "role": "annotator"})
            return httpx2.Response(409, json={"detail": "taken"})
        return None

    fake.before = taken
    with fake.client() as argilla:
        [account] = add_users(argilla, "doctors", ["sara"], "annotator", people)
    assert account.password is None
    assert fake.members == [(fake.workspaces[0]["id"], "u9")]


def test_two_commands_do_not_lose_each_others_names(people: Pseudonyms, tmp_path: Path) -> None:
    other = Pseudonyms(tmp_path / "runs")
    one, two = people.of("sara"), other.of("reza")
    assert json.loads(people.path.read_text())["users"] == {"sara": one, "reza": two}


def test_many_at_once_agree(tmp_path: Path) -> None:
    def name(number: int) -> tuple[str, str]:
        return f"doctor{number % 8}", Pseudonyms(tmp_path / "fresh").of(f"doctor{number % 8}")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(name, range(48)))
    written = json.loads((tmp_path / "fresh" / "users.json").read_text())["users"]
    assert dict(found) == written
    assert len(set(found)) == len(set(written.values())) == 8


def test_a_broken_file_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "users.json").write_text('{"salt": ')
    with pytest.raises(UserError, match="restore it"):
        Pseudonyms(tmp_path)
    assert (tmp_path / "users.json").read_text() == '{"salt": '


def test_passwords_are_long_and_readable() -> None:
    made = {new_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert len(password) == 23
        assert not set(password) & set("0O1lIio")
