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
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.command_line import Said, in_own_process, in_this_process
from tests.effort import LONG, one_in
from tests.stack import HOME, Gateway, free_ports, run_gateway

CANARY = base64.b64encode(b"canary" * 6).decode()[:43] + "="
MODEL_CANARY = "sk-ant-canary"
GONE_WITHIN_S = 30.0
"""A bound for what never ends; that a stop takes 10 s at most is for test_serve_signals to say."""
DRAIN_S = 10 * GONE_WITHIN_S
"""How long a frozen server is waited for, unless somebody insists."""
PORTS = ("edge", "grpc", "simulator", "admin", "metrics")


class Starts:
    """Starts gateways; one that was left running serves the next test, also one that ends it."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._left: list[Gateway] = []
        self._stack = ExitStack()

    def __enter__(self) -> Starts:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def to_leave(self) -> Gateway:
        if not self._left:
            self._left.append(self._start())
        return self._left[0]

    def to_end(self) -> Gateway:
        return self._left.pop() if self._left else self._start()

    def _start(self) -> Gateway:
        gateway = run_gateway(
            self._folders.mktemp("up"),
            rate_limit=0,
            drain_notice_s=0,
            drain_s=DRAIN_S,
            pepper=CANARY,  # for the test of secrets, as is the next
            anthropic_api_key=MODEL_CANARY,
        )
        return self._stack.enter_context(gateway)


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starts]:
    with Starts(tmp_path_factory) as starts:
        yield starts


@pytest.fixture
def shared(starts: Starts) -> Gateway:
    """For a test that leaves it running."""
    return starts.to_leave()


@pytest.fixture
def gateway(starts: Starts) -> Gateway:
    """For a test that ends it."""
    return starts.to_end()


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


def test_the_banner_names_the_whole_path_of_the_data(shared: Gateway) -> None:
    (line,) = [line for line in shared.output if line.strip().startswith("data ")]
    assert line.split()[-1] == str(shared.data_dir.resolve())


def test_logs_are_kept(shared: Gateway) -> None:
    requests.get(f"{shared.url}/nothing", timeout=5).close()
    logs = shared.data_dir / "logs"
    assert {log.name for log in logs.iterdir()} == {"edge.log", "server.log", "simulator.log"}
    until(lambda: "route=unknown-path status=404" in (logs / "edge.log").read_text())


def test_secrets_go_to_the_server_only(shared: Gateway) -> None:
    for pid, command in children(shared.process.pid).items():
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        for canary in (CANARY, MODEL_CANARY):
            assert (canary.encode() in environment) == ("-m server serve" in command)
            assert canary not in command
    for canary in (CANARY, MODEL_CANARY):
        assert canary not in "\n".join(shared.output)


def test_ctrl_c_ends_everything_and_streams_are_told(gateway: Gateway) -> None:
    parts = children(gateway.process.pid)
    assert len(parts) == 3, parts
    url = f"{gateway.url}/api/v1/stream/quotes?symbols=SPY"
    key = {"X-API-Key": gateway.api_key}
    with requests.get(url, headers=key, stream=True, timeout=10) as events:
        lines = events.iter_lines(chunk_size=1)
        assert any(line.startswith(b"data: ") for line in lines)
        gateway.process.send_signal(signal.SIGINT)
        said = [line for line in lines if line.startswith(b"data: ")]
    # Read to its end without an error: the edge carried the last word before it went.
    assert b"STREAM_EVENT_KIND_END" in said[-1]
    assert gateway.process.wait(GONE_WITHIN_S) == 0
    assert_nothing_left(gateway, parts)
    until(lambda: gateway.output[-1] == "stopped.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """Which part ends by itself, and which others do not end when they are told to."""

    of: str
    frozen: tuple[str, ...] = ()


# Each is a whole gateway: in `make test` one has it all, the others are for whom it fails.
@pytest.mark.parametrize(
    "crash",
    one_in(
        4,
        [
            Crash(of="server", frozen=("simulator", "edge")),
            *(Crash(of=name) for name in ("simulator", "server", "edge")),
        ],
    ),
    ids=str,
)
def test_a_crash_of_one_part_ends_everything(gateway: Gateway, crash: Crash) -> None:
    parts = children(gateway.process.pid)
    for name in crash.frozen:
        os.kill(part(parts, name), signal.SIGSTOP)
    os.kill(part(parts, crash.of), signal.SIGKILL)
    assert gateway.process.wait(GONE_WITHIN_S) == 1
    assert_nothing_left(gateway, parts)
    until(lambda: gateway.output[-1] == "Everything else was stopped.")
    assert f"{crash.of} ended by itself (signal 9)" in "\n".join(gateway.output)


def test_an_edge_that_was_drained_ends_everything(gateway: Gateway) -> None:
    """By the socket, as whoever owns the folder can; the process of the edge lives on."""
    parts = children(gateway.process.pid)
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(str(gateway.data_dir / "edge" / "admin.sock"))
        admin.sendall(b"POST /drain_listeners HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        assert b" 200 " in admin.recv(4096)
    assert gateway.process.wait(GONE_WITHIN_S) == 1
    assert_nothing_left(gateway, parts)
    until(lambda: gateway.output[-1] == "Everything else was stopped.")
    assert "The gateway runs, but serves nobody" in "\n".join(gateway.output)


@pytest.mark.skipif(not LONG, reason="half a minute for what the unit tests show in no time")
def test_a_frozen_edge_ends_everything(gateway: Gateway) -> None:
    parts = children(gateway.process.pid)
    os.kill(part(parts, "edge"), signal.SIGSTOP)
    # Beside the silence, what a part that does not stop is waited for.
    assert gateway.process.wait(2 * GONE_WITHIN_S) == 1
    assert_nothing_left(gateway, parts)
    assert "had no answer for" in "\n".join(gateway.output)


def test_few_open_files_are_told_at_the_start(tmp_path: Path) -> None:
    # In a shell of its own; no Envoy, so that it ends.
    command = f"ulimit -n 256; exec {sys.executable} -m server up"
    done = subprocess.run(
        ["bash", "-c", command],
        env=environment(tmp_path) | {"TASTY_PEPPER": "not base64"},
        capture_output=True,
        text=True,
        timeout=GONE_WITHIN_S,
        check=False,
    )
    assert "Only 256 files may be open here (ulimit -Hn)" in done.stdout
    assert "holds 96 client connections, not 10000" in done.stdout


@pytest.mark.skipif(not LONG, reason="a whole gateway for what the crash above has shown as well")
def test_parts_that_do_not_stop_are_killed(gateway: Gateway) -> None:
    parts = children(gateway.process.pid)
    for name in ("simulator", "edge"):
        os.kill(part(parts, name), signal.SIGSTOP)
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(GONE_WITHIN_S) == 0
    assert_nothing_left(gateway, parts)


MOMENTS = one_in(2, ["starting", "ready"])
"""Parts belong to `up` from their first moment on, before they have cost anything: that one is in
`make test`."""


@pytest.fixture(params=MOMENTS)
def process(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`up`, as soon as all of its parts run, or once they answer."""
    if request.param == "ready":
        yield request.getfixturevalue("gateway").process
        return
    with subprocess.Popen(
        [sys.executable, "-m", "server", "up"],
        env=environment(tmp_path) | {"TASTY_DRAIN_S": str(DRAIN_S)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            until(lambda: len(children(process.pid)) == 3)
            yield process
        finally:
            process.kill()


def test_even_kill_9_leaves_nothing(process: subprocess.Popen[str]) -> None:
    parts = children(process.pid)
    assert len(parts) == 3, parts
    process.kill()
    process.wait()
    until(lambda: not any(alive(pid) for pid in parts))


def test_asking_a_second_time_does_not_wait(process: subprocess.Popen[str]) -> None:
    parts = children(process.pid)
    for pid in parts:
        os.kill(pid, signal.SIGSTOP)
    for number in (signal.SIGTERM, signal.SIGINT):
        process.send_signal(number)
        until(lambda number=number: not signal_pending(process.pid, number))
    assert process.wait(GONE_WITHIN_S) == 0
    until(lambda: not any(alive(pid) for pid in parts))


def signal_pending(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    masks = [
        line.split()[1] for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))
    ]
    return any(int(mask, 16) & (1 << (number - 1)) for mask in masks)


def environment(data_dir: Path) -> dict[str, str]:
    ports = dict(zip(PORTS, map(str, free_ports(5)), strict=True))
    env = {f"TASTY_{name.upper()}_PORT": port for name, port in ports.items()}
    return env | {"TASTY_DATA_DIR": str(data_dir), "PYTHONPATH": str(HOME), "PATH": os.defpath}


def up(data_dir: Path, way: Callable[..., Said] = in_this_process, /, **variables: str) -> Said:
    """Runs `up` with something in its way, so that it ends."""
    return way("up", **environment(data_dir) | variables)


@pytest.mark.parametrize("name", PORTS)
def test_a_port_in_use_is_one_sentence(tmp_path: Path, name: str) -> None:
    way = in_own_process if name == "edge" else in_this_process
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = up(tmp_path, way, **{f"TASTY_{name.upper()}_PORT": str(port)})
    assert said.code == 2
    assert said.err == ""
    assert said.out == (
        f"Cannot listen on 127.0.0.1:{port} (it is in use). Stop what uses that port, or set "
        f"TASTY_{name.upper()}_PORT to another one.\n"
    )


def test_no_envoy_is_one_sentence(tmp_path: Path) -> None:
    said = up(tmp_path, TASTY_ENVOY_PATH=str(tmp_path / "none"))
    assert said.code == 2
    assert said.err == ""
    assert said.out.startswith(f"No Envoy to run: {tmp_path / 'none'} is not an executable file.")
    assert "TASTY_ENVOY_PATH" in said.out
    assert said.out.count("\n") == 1


def test_a_wrong_setting_is_one_sentence_without_its_value(tmp_path: Path) -> None:
    said = up(tmp_path, in_own_process, TASTY_EDGE_PORT="s3cret", TASTY_BROKER="nasdaq")
    assert said.code == 2
    assert "TASTY_EDGE_PORT: Input should be a valid integer" in said.err
    assert "TASTY_BROKER: Input should be 'simulator', 'sandbox' or 'production'" in said.err
    assert "s3cret" not in said.err
    assert "Traceback" not in said.err


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = up(tmp_path / "file")
    assert said.code == 2
    assert said.err == ""
    assert said.out == (
        f"Cannot write in {tmp_path / 'file' / 'logs'} (not a directory). "
        "Set TASTY_DATA_DIR to another folder.\n"
    )


def test_a_store_that_is_lost_is_told_with_its_own_exit_code(tmp_path: Path) -> None:
    (tmp_path / "pepper.key").write_text("")
    said = up(tmp_path)
    assert said.code == 3
    assert f"Error: There is no store in {tmp_path}/tasty.db, but what belongs to one" in said.out
    assert said.out.endswith("Everything else was stopped.\n")
    assert "Traceback" not in said.out + said.err
    assert not (tmp_path / "tasty.db").exists()


def test_a_log_that_cannot_be_kept_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "logs" / "server.log").mkdir(parents=True)
    said = up(tmp_path)
    assert said.code == 2
    assert f"Cannot write in {tmp_path / 'logs'} (is a directory)." in said.out
    assert "Traceback" not in said.out + said.err


@pytest.mark.parametrize("name", ["TASTY_TLS_CERTIFICATE", "TASTY_TLS_KEY"])
def test_half_of_tls_is_refused(tmp_path: Path, name: str) -> None:
    half = tmp_path / "half.pem"
    half.write_text("")
    said = up(tmp_path, **{name: str(half)})
    assert said.code == 2
    assert "TASTY_TLS_CERTIFICATE and TASTY_TLS_KEY go together: set both" in said.err


def test_a_setting_that_does_not_exist_is_warned_of(tmp_path: Path) -> None:
    # No Envoy, so that it ends; the warning comes before.
    none = str(tmp_path / "none")
    said = up(tmp_path, TASTY_ORDERS_READ_ONYL="true", TASTY_ENVOY_PATH=none)
    assert said.err == (
        "Warning: TASTY_ORDERS_READ_ONYL is not a setting; TASTY_ORDERS_READ_ONLY is one.\n"
    )


def test_the_operators_commands_warn_too(tmp_path: Path) -> None:
    # They would make keys and a database of their own in another folder, and seem to have worked.
    said = in_this_process("keys", "status", TASTY_DATA_DIRR="x", TASTY_DATA_DIR=str(tmp_path))
    assert said.code == 0
    assert said.err == "Warning: TASTY_DATA_DIRR is not a setting; TASTY_DATA_DIR is one.\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["up", "-h"], ["serve", "-h"]])
def test_help_is_worth_reading(arguments: list[str]) -> None:
    way = in_this_process if arguments else in_own_process
    done = way(*arguments)
    said = done.out + done.err
    assert "Usage: python -m server" in said
    assert "TASTY_" in said
    assert len(said.splitlines()) > 10


def test_help_of_the_simulator_is_its_own() -> None:
    said = in_this_process("simulate", "--help")
    assert said.code == 0
    assert "--real-hours" in said.out
