"""A real headless Chromium for tests of pages, driven over its debugging protocol; `open_browser` skips without one."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--force-color-profile=srgb", "--password-store=basic", "--use-mock-keychain", "--no-proxy-server",
)  # fmt: skip


class Page:
    """One page of a browser. `problems` are the errors that its console showed, `asked` the addresses it loaded."""

    def __init__(self, connection, target, session):
        self.connection, self.session, self.number = connection, session, 0
        self.target, self.problems, self.asked = target, [], []
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """Call a method of the protocol and return its result, noting the events that come before it."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params, "sessionId": self.session}
        self.connection.send(json.dumps(message))
        while True:
            answer = json.loads(self.connection.recv(timeout=180))
            if answer.get("id") == self.number and answer.get("sessionId") == self.session:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self._note(answer)

    def _note(self, event):
        method, params = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(params["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.problems.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    def screen(self, width, height, dark=False, phone=False):
        """Set the size of the screen, its colours, and whether it is a phone's."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        colours = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=colours)
        self.send("Emulation.setTouchEmulationEnabled", enabled=phone)

    def open(self, address):
        """Load an address."""
        self.send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'", seconds=120)

    def ask(self, expression):
        """Return the value of a JavaScript expression."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, (expression, found["exceptionDetails"])
        return found["result"].get("value")

    def wait(self, expression, seconds=30):
        """Return an expression's value as soon as it is true."""
        end = time.monotonic() + seconds
        while not (value := self.ask(expression)):
            assert time.monotonic() < end, f"never true: {expression}; problems: {self.problems}"
            time.sleep(0.05)
        return value

    def box(self, selector):
        """Return left, top, width and height of an element, in pixels of the screen."""
        rectangle = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        return self.ask(f"(({{x, y, width, height}}) => [x, y, width, height])({rectangle})")

    def drag(self, points, touch=False):
        """Press at the first point, move over the others, and let go."""
        kinds = ["Pressed", *["Moved"] * (len(points) - 1), "Released"]
        for kind, (x, y) in zip(kinds, [*points, points[-1]], strict=True):
            if touch:
                name = {"Pressed": "touchStart", "Moved": "touchMove", "Released": "touchEnd"}[kind]
                place = [] if kind == "Released" else [{"x": x, "y": y}]
                self.send("Input.dispatchTouchEvent", type=name, touchPoints=place)
            else:
                self.send(
                    "Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, button="left", buttons=1, clickCount=1
                )

    def screenshot(self, path):
        """Write the whole page as a PNG."""
        found = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(found["data"]))


@contextlib.contextmanager
def open_browser():
    """Start a browser and give a `Page`; the test is skipped on a machine without one."""
    program = os.environ.get("CORNU_BROWSER") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(PROGRAMS)} is installed")
    client = pytest.importorskip("websockets.sync.client")
    sandbox = ["--no-sandbox"] if os.name == "posix" and os.getuid() == 0 else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [program, *OPTIONS, *sandbox, f"--user-data-dir={folder}", "about:blank"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                with client.connect(
                    _address(Path(folder), process), max_size=None, proxy=None, ping_interval=None
                ) as connection:
                    yield _first_page(connection)
            finally:
                process.terminate()
                try:
                    process.wait(timeout=30)
                except subprocess.TimeoutExpired:  # a machine that is busy
                    process.kill()


def _address(folder, process):
    """Return the address that the browser writes into its folder when it listens."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            port, path = (folder / "DevToolsActivePort").read_text().split()
            return f"ws://127.0.0.1:{port}{path}"
        time.sleep(0.05)
    raise RuntimeError(f"the browser did not start (exit code {process.poll()})")


def _first_page(connection):
    def send(number, method, **params):
        connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(connection.recv(timeout=180))).get("id") != number:
            pass
        return answer["result"]

    targets = send(1, "Target.getTargets")["targetInfos"]
    target = next(one["targetId"] for one in targets if one["type"] == "page")
    session = send(2, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    return Page(connection, target, session)
