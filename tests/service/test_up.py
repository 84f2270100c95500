"""`python -m server up` as a person meets it: what it prints, and that nothing of it stays."""

from __future__ import annotations

import base64
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.stack import HOME, Gateway, free_ports, run_gateway

CANARY = base64.b64encode(b"canary" * 6).decode()[:43] + "="
GONE_WITHIN_S = 30.0
"""A bound for what never ends; that a stop takes 10 s at most is for test_serve_signals to say."""
PORTS = ("edge", "grpc", "simulator", "admin", "metrics")


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with run_gateway(tmp_path, rate_limit=0, drain_notice_s=0) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One for the tests that leave it running, started with secrets in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", CANARY)
        folder = tmp_path_factory.mktemp("up")
        with run_gateway(folder, rate_limit=0, drain_notice_s=0, pepper=CANARY) as gateway:
            yield gateway


def children(pid: int) -> dict[int, str]:
    """Returns the running children of a process: id → the program's name and arguments."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (OSError, ValueError):
                continue  # it ended while we looked
            if parent == pid:
                found[int(entry.name)] = command
    return found


def part(parts: dict[int, str], name: str) -> int:
    word = {"simulator": "-m server simulate", "server": "-m server serve", "edge": "envoy.yaml"}[
        name
    ]
    return next(pid for pid, command in parts.items() if word in command)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(condition: object, within: float = GONE_WITHIN_S) -> None:
    deadline = time.monotonic() + within
    while not condition():  # type: ignore[operator]  # a callable, said shorter
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def assert_nothing_left(gateway: Gateway, parts: dict[int, str]) -> None:
    until(lambda: not any(alive(pid) for pid in parts))
    for url in (gateway.url, gateway.simulator_url, gateway.admin_url, gateway.metrics_url):
        port = int(url.rsplit(":", 1)[1])
        until(lambda port=port: can_be_had(port))


def can_be_had(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def test_ctrl_c_ends_everything(gateway: Gateway) -> None:
    parts = children(gateway.process.pid)
    assert len(parts) == 3, parts
    gateway.process.send_signal(signal.SIGINT)
    assert gateway.process.wait(GONE_WITHIN_S) == 0
    assert_nothing_left(gateway, parts)
    until(lambda: gateway.output[-1] == "stopped.")


@pytest.mark.parametrize("name", ["simulator", "server", "edge"])
def test_a_crash_of_one_part_ends_everything(gateway: Gateway, name: str) -> None:
    parts = children(gateway.process.pid)
    os.kill(part(parts, name), signal.SIGKILL)
    assert gateway.process.wait(GONE_WITHIN_S) == 1
    assert_nothing_left(gateway, parts)
    until(lambda: gateway.output[-1] == "Everything else was stopped.")
    assert f"{name} ended by itself (signal 9)" in "\n".join(gateway.output)


def test_even_kill_9_leaves_nothing(gateway: Gateway) -> None:
    parts = children(gateway.process.pid)
    gateway.process.kill()
    gateway.process.wait()
    assert_nothing_left(gateway, parts)


def test_sigterm_ends_everything_and_streams_are_told(gateway: Gateway) -> None:
    parts = children(gateway.process.pid)
    url = f"{gateway.url}/api/v1/stream/quotes?symbols=SPY"
    key = {"X-API-Key": gateway.api_key}
    with requests.get(url, headers=key, stream=True, timeout=10) as events:
        lines = events.iter_lines(chunk_size=1)
        assert any(line.startswith(b"data: ") for line in lines)
        gateway.process.send_signal(signal.SIGTERM)
        said = [line for line in lines if line.startswith(b"data: ")]
    # Read to its end without an error: the edge carried the last word before it went.
    assert b"STREAM_EVENT_KIND_END" in said[-1]
    assert gateway.process.wait(GONE_WITHIN_S) == 0
    assert_nothing_left(gateway, parts)


@pytest.mark.parametrize("name", ["simulator", "edge"])
def test_a_part_that_does_not_stop_is_killed(gateway: Gateway, name: str) -> None:
    parts = children(gateway.process.pid)
    os.kill(part(parts, name), signal.SIGSTOP)
    gateway.process.send_signal(signal.SIGINT)
    assert gateway.process.wait(GONE_WITHIN_S) == 0
    assert_nothing_left(gateway, parts)


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    # The first one alone would wait for the server as long as this.
    with run_gateway(tmp_path, drain_s=10 * GONE_WITHIN_S) as gateway:
        parts = children(gateway.process.pid)
        for pid in parts:
            os.kill(pid, signal.SIGSTOP)
        gateway.process.send_signal(signal.SIGINT)
        until(lambda: not signal_pending(gateway.process.pid, signal.SIGINT))
        gateway.process.send_signal(signal.SIGINT)
        assert gateway.process.wait(GONE_WITHIN_S) == 0
        assert_nothing_left(gateway, parts)


def signal_pending(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    masks = [
        line.split()[1] for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))
    ]
    return any(int(mask, 16) & (1 << (number - 1)) for mask in masks)


def test_the_banner_works_as_printed(shared: Gateway) -> None:
    said = "\n".join(shared.output)
    assert shared.output[-1] == f"ready: {shared.url}"
    for needed in (shared.url, shared.grpc_target, "demo-key", "5WT00001", "Ctrl-C"):
        assert needed in said
    lines = said.split("Try it:")[1].replace("\\\n", " ").splitlines()
    curls = [line.strip() for line in lines if line.strip().startswith("curl ")]
    assert len(curls) == 3
    for curl in curls:
        arguments = shlex.split(curl)[1:]
        method, body, headers, url = "GET", None, {}, ""
        while arguments:
            match arguments.pop(0):
                case "-H":
                    name, _, value = arguments.pop(0).partition(": ")
                    headers[name] = value
                case "-d":
                    method, body = "POST", arguments.pop(0)
                case given:
                    url = given
        answer = requests.request(method, url, headers=headers, data=body, timeout=20)
        assert answer.status_code == 200, f"{curl}\n{answer.text}"
        answer.close()


def test_the_banner_is_not_lost_among_warnings(shared: Gateway) -> None:
    before = shared.output[: shared.output.index(f"ready: {shared.url}")]
    assert not [line for line in before if line.startswith("edge")]
    assert len(before) < 40


def test_the_banner_names_a_docs_page_that_exists(shared: Gateway) -> None:
    (line,) = [line for line in shared.output if line.strip().startswith("docs ")]
    with requests.get(line.split()[-1], timeout=5) as page:
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")


def test_logs_are_kept(shared: Gateway) -> None:
    requests.get(f"{shared.url}/nothing", timeout=5).close()
    logs = shared.data_dir / "logs"
    assert {log.name for log in logs.iterdir()} == {"edge.log", "server.log", "simulator.log"}
    until(lambda: "route=unknown-path status=404" in (logs / "edge.log").read_text())


def test_secrets_go_to_the_server_only(shared: Gateway) -> None:
    for pid, command in children(shared.process.pid).items():
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert (CANARY.encode() in environment) == ("-m server serve" in command)
        assert CANARY not in command
    assert CANARY not in "\n".join(shared.output)


def run_up(data_dir: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    ports = dict(zip(PORTS, map(str, free_ports(5)), strict=True))
    env = {f"TASTY_{name.upper()}_PORT": port for name, port in ports.items()}
    env |= {"TASTY_DATA_DIR": str(data_dir), "PYTHONPATH": str(HOME), "PATH": os.defpath}
    return subprocess.run(
        [sys.executable, "-m", "server", "up"],
        env=env | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("name", PORTS)
def test_a_port_in_use_is_one_sentence(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_up(tmp_path, **{f"TASTY_{name.upper()}_PORT": str(port)})
    assert done.returncode == 2
    assert done.stderr == ""
    assert done.stdout == (
        f"Cannot listen on 127.0.0.1:{port} (it is in use). Stop what uses that port, or set "
        f"TASTY_{name.upper()}_PORT to another one.\n"
    )


def test_no_envoy_is_one_sentence(tmp_path: Path) -> None:
    done = run_up(tmp_path, TASTY_ENVOY_PATH=str(tmp_path / "none"))
    assert done.returncode == 2
    assert done.stderr == ""
    assert done.stdout.startswith(
        f"No Envoy to run: {tmp_path / 'none'} is not an executable file."
    )
    assert "TASTY_ENVOY_PATH" in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_wrong_setting_is_one_sentence_without_its_value(tmp_path: Path) -> None:
    done = run_up(tmp_path, TASTY_EDGE_PORT="s3cret", TASTY_BROKER="nasdaq")
    assert done.returncode == 2
    assert "TASTY_EDGE_PORT: Input should be a valid integer" in done.stderr
    assert "TASTY_BROKER: Input should be 'simulator', 'sandbox' or 'production'" in done.stderr
    assert "s3cret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run_up(tmp_path / "file")
    assert done.returncode == 2
    assert done.stderr == ""
    assert done.stdout == (
        f"Cannot write in {tmp_path / 'file' / 'logs'} (not a directory). "
        "Set TASTY_DATA_DIR to another folder.\n"
    )


@pytest.mark.parametrize("name", ["TASTY_TLS_CERTIFICATE", "TASTY_TLS_KEY"])
def test_half_of_tls_is_refused(tmp_path: Path, name: str) -> None:
    half = tmp_path / "half.pem"
    half.write_text("")
    done = run_up(tmp_path, **{name: str(half)})
    assert done.returncode == 2
    assert "TASTY_TLS_CERTIFICATE and TASTY_TLS_KEY go together: set both" in done.stderr


def test_a_setting_that_does_not_exist_is_warned_of(tmp_path: Path) -> None:
    # No Envoy, so that it ends; the warning comes before.
    none = str(tmp_path / "none")
    done = run_up(tmp_path, TASTY_ORDERS_READ_ONYL="true", TASTY_ENVOY_PATH=none)
    assert done.stderr == (
        "Warning: TASTY_ORDERS_READ_ONYL is not a setting; TASTY_ORDERS_READ_ONLY is one.\n"
    )


def test_the_operators_commands_warn_too(tmp_path: Path) -> None:
    # They would make keys and a database of their own in another folder, and seem to have worked.
    done = subprocess.run(
        [sys.executable, "-m", "server", "keys", "status"],
        env={"PYTHONPATH": str(HOME), "TASTY_DATA_DIRR": "x", "TASTY_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ("Warning: TASTY_DATA_DIRR is not a setting; TASTY_DATA_DIR is one.\n")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["up", "-h"], ["serve", "-h"]])
def test_help_is_worth_reading(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        env={"PYTHONPATH": str(HOME)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "Usage: " in said
    assert "TASTY_" in said
    assert len(said.splitlines()) > 10


def test_help_of_the_simulator_is_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server", "simulate", "--help"],
        env={"PYTHONPATH": str(HOME)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--real-hours" in done.stdout
