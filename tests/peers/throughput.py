#!/usr/bin/env python3
"""How fast the simulator answers beside peers from npm and PyPI: the same requests, one machine, one run, rounds interleaved.

    throughput.py SEATRIAL [--seconds 10] [--rounds 3] [--folder DIR] [--page FILE.md]

Installs WireMock, MockServer, mountebank and Prism (npm) and moto (PyPI) into --folder, a temporary one unless given, starts each and
`SEATRIAL simulate`, and prints a Markdown table. Needs wrk, node, npm, java and python3 with venv. A peer that cannot be had stands in the
table with the reason.

The load comes from wrk, which is compiled, keeps connections alive and tells percentiles: a client in Python would be slower than most of
what it measures, and ab speaks HTTP/1.0. wrk ends by time, so every peer gets the same seconds instead of the same count."""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime, timezone

PATH = "/api/v2/users?pageSize=1&pageNumber=1"
NPM = {"wiremock": "3.13.2", "mockserver-node": "8.0.0", "mountebank": "2.9.1", "@stoplight/prism-cli": "5.16.0"}
PYPI = {"moto[server]": "5.2.5"}
CONNECTIONS = (1, 16)
TOKEN = "Bearer gc-0123456789abcdef0123456789abcdef"
SCENARIO = """about = "Throughput: every request is let in, and counted."
seed = 1
target = "genesys_cloud"
[world]
interactions = 10
[genesys_cloud.limits]
requests_per_minute = 4000000000
[expect]
verdict = "match"
"""


class Peer:
    name, does = "", ""
    token, path = TOKEN, PATH

    def __init__(self, folder, body):
        self.folder, self.body, self.port = os.path.join(folder, self.name), body, free_port()
        os.makedirs(self.folder, exist_ok=True)
        self.packages = folder

    def command(self):
        raise NotImplementedError

    def prepare(self):
        """What has to be told after the start, before the first answer."""

    def npm(self, *parts):
        return os.path.join(self.packages, "npm", "node_modules", *parts)

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def url(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    def start(self):
        """Seconds until the first right answer."""
        began = time.monotonic()
        log = open(os.path.join(self.folder, "log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder, start_new_session=True)
        self.prepare()
        while True:
            if self.process.poll() is not None or time.monotonic() - began > 90:
                with open(log.name, encoding="utf-8") as file:
                    raise RuntimeError("did not start: " + file.read()[-200:].replace("\n", " "))
            try:
                if self.ask()[0] == 200:
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.01)

    def ask(self):
        request = urllib.request.Request(self.url(), headers={"Authorization": self.token})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()

    def tell(self, path, content, method="POST"):
        """Sends a stub as soon as somebody listens."""
        data, until = json.dumps(content).encode(), time.monotonic() + 60
        while True:
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method,
                                                 headers={"content-type": "application/json"})
                return urllib.request.urlopen(request, timeout=10).read()
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def resident_mib(self):
        """Of the process and its children."""
        total, waiting = 0, [self.process.pid]
        while waiting:
            pid = waiting.pop()
            try:
                with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                    total += int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])
                with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
                    waiting += [int(child) for child in file.read().split()]
            except (OSError, TypeError):
                pass
        return total / 1024

    def stop(self):
        if getattr(self, "process", None):
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()


class Seatrial(Peer):
    name = "Seatrial"
    does = "issues and checks the token, counts it against its limit, checks the permission, draws faults, writes the journal, pages its world"
    binary = ""

    def command(self):
        scenario = self.write("throughput.toml", SCENARIO)
        self.control = free_port()
        return [self.binary, "simulate", scenario, "--genesys-cloud-port", str(self.port), "--control-port", str(self.control)]

    def prepare(self):
        """A token, as any client asks for one."""
        until = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.control}/_sim/credentials", timeout=5) as answer:
                    client = json.load(answer)["genesys_cloud"]
                form = f"grant_type=client_credentials&client_id={client['client_id']}&client_secret={client['client_secret']}"
                request = urllib.request.Request(f"http://127.0.0.1:{self.port}/oauth/token", data=form.encode(),
                                                 headers={"content-type": "application/x-www-form-urlencoded"})
                self.token = "Bearer " + json.load(urllib.request.urlopen(request, timeout=5))["access_token"]
                return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.01)

    def version(self):
        return subprocess.run([self.binary, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


class WireMock(Peer):
    name, does = "WireMock", "one stub, matched by path, query and the header's value; its journal keeps the last 10,000 requests; no token, no limit"

    def command(self):
        stub = {"request": {"method": "GET", "urlPath": PATH.split("?")[0], "queryParameters": {"pageSize": {"equalTo": "1"}},
                            "headers": {"Authorization": {"equalTo": TOKEN}}},
                "response": {"status": 200, "headers": {"content-type": "application/json"}, "body": self.body}}
        os.makedirs(os.path.join(self.folder, "mappings"), exist_ok=True)
        self.write("mappings/users.json", stub)
        return ["java", "-Xmx1g", "-jar", self.npm("wiremock", "build", f"wiremock-standalone-{NPM['wiremock']}.jar"), "--port", str(self.port),
                "--root-dir", self.folder, "--max-request-journal-entries", "10000", "--disable-banner"]

    def version(self):
        return NPM["wiremock"]


class MockServer(Peer):
    name, does = "MockServer", "one expectation, matched by path, query and the header's value; its event log as it comes, log level ERROR; no token, no limit"

    def command(self):
        return ["java", "-Xmx1g", "-Dmockserver.logLevel=ERROR", "-jar",
                self.npm("mockserver-node", f"mockserver-netty-{NPM['mockserver-node']}-jar-with-dependencies.jar"), "-serverPort", str(self.port)]

    def prepare(self):
        self.tell("/mockserver/expectation", {
            "httpRequest": {"method": "GET", "path": PATH.split("?")[0], "queryStringParameters": {"pageSize": ["1"]},
                            "headers": {"Authorization": [TOKEN]}},
            "httpResponse": {"statusCode": 200, "headers": {"content-type": ["application/json"]}, "body": self.body},
            "times": {"unlimited": True}}, method="PUT")

    def version(self):
        return NPM["mockserver-node"]


class Mountebank(Peer):
    name, does = "mountebank", "one stub, matched by path, query and the header's value; records no requests unless told to; no token, no limit"

    def command(self):
        stub = {"predicates": [{"equals": {"method": "GET", "path": PATH.split("?")[0], "query": {"pageSize": "1"},
                                           "headers": {"Authorization": TOKEN}}}],
                "responses": [{"is": {"statusCode": 200, "headers": {"content-type": "application/json", "connection": "keep-alive"},
                                      "body": self.body}}]}
        imposter = {"port": self.port, "protocol": "http", "stubs": [stub]}
        config = self.write("imposters.json", {"imposters": [imposter]})
        return ["node", self.npm("mountebank", "bin", "mb"), "--configfile", config, "--port", str(free_port()), "--nologfile", "--loglevel", "error"]

    def version(self):
        return NPM["mountebank"]


class Prism(Peer):
    name, does = "Prism", "one example from an OpenAPI document; validates the query and that a bearer token is there, not which; no limit, no journal"

    def command(self):
        number = {"in": "query", "schema": {"type": "integer"}}
        operation = {"parameters": [{"name": "pageSize", **number}, {"name": "pageNumber", **number}], "security": [{"bearer": []}],
                     "responses": {"200": {"description": "users", "content": {"application/json": {
                         "schema": {"type": "object"}, "example": json.loads(self.body)}}}}}
        document = self.write("openapi.json", {
            "openapi": "3.0.3", "info": {"title": "users", "version": "1"}, "paths": {PATH.split("?")[0]: {"get": operation}},
            "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}})
        return ["node", self.npm("@stoplight", "prism-cli", "dist", "index.js"), "mock", document, "--port", str(self.port), "--host", "127.0.0.1",
                "--verboseLevel", "error"]

    def version(self):
        return NPM["@stoplight/prism-cli"]


class Moto(Peer):
    name, does = "moto", "an object of the same bytes from its simulated S3, for it takes no stubs; does not check signatures; no limit, no journal"
    path = "/bucket/users.json"
    token = "AWS4-HMAC-SHA256 Credential=test/20230101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"

    def command(self):
        return [os.path.join(self.packages, "moto", "bin", "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)]

    def prepare(self):
        for path, content in (("/bucket", b""), ("/bucket/users.json", self.body.encode())):
            until = time.monotonic() + 60
            while True:
                try:
                    request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=content, method="PUT",
                                                     headers={"Authorization": self.token, "content-type": "application/json"})
                    urllib.request.urlopen(request, timeout=10).read()
                    break
                except OSError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.02)

    def version(self):
        return PYPI["moto[server]"]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def install(folder):
    """Whatever is not there yet."""
    npm = os.path.join(folder, "npm")
    os.makedirs(npm, exist_ok=True)
    wanted = [f"{name}@{version}" for name, version in NPM.items() if not os.path.exists(os.path.join(npm, "node_modules", name))]
    if wanted:
        subprocess.run(["npm", "install", "--prefix", npm, "--no-audit", "--no-fund", "--loglevel", "error", *wanted], check=False)
    if not os.path.exists(os.path.join(folder, "moto", "bin", "moto_server")):
        subprocess.run([sys.executable, "-m", "venv", os.path.join(folder, "moto")], check=False)
        pip = os.path.join(folder, "moto", "bin", "pip")
        subprocess.run([pip, "install", "-q", *(f"{name}=={version}" for name, version in PYPI.items())], check=False)


def wrk(peer, connections, seconds):
    """Requests a second, p50 and p99 in ms, answers that were no 200 and connections that failed."""
    script = peer.write("load.lua", """
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %f %f %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
""")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-H", "Authorization: " + peer.token, "-s", script, peer.url()]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests, micros, p50, p99, refused, broken = (float(word) for word in re.search(r"RESULT (.*)", out)[1].split())
    return {"rate": requests / micros * 1e6, "p50": p50 / 1000, "p99": p99 / 1000, "errors": int(refused + broken)}


def measure(options, folder):
    Seatrial.binary = os.path.abspath(options.seatrial)
    first = Seatrial(folder, "")
    try:
        first.start()
        body = first.ask()[1]
    finally:
        first.stop()
    peers, absent = [], {}
    for kind in (Seatrial, WireMock, MockServer, Mountebank, Prism, Moto):
        peer = kind(folder, body)
        try:
            peer.started = peer.start()
            answered = peer.ask()[1]
            if json.loads(answered) != json.loads(body) and len(answered) != len(body):
                raise RuntimeError("answers something else")
            peer.rows = {connections: [] for connections in CONNECTIONS}
            peers.append(peer)
        except Exception as error:  # a peer that cannot be had is a row of the table
            peer.stop()
            absent[kind.name] = str(error)[:160]
    try:
        time.sleep(3)
        for peer in peers:
            peer.idle = peer.resident_mib()
            wrk(peer, max(CONNECTIONS), max(2, options.seconds // 2))  # warm, for those that compile while they run
        for _ in range(options.rounds):
            for peer in peers:
                for connections in CONNECTIONS:
                    peer.rows[connections].append(wrk(peer, connections, options.seconds))
        for peer in peers:
            peer.after = peer.resident_mib()
    finally:
        for peer in peers:
            peer.stop()
    return body, peers, absent


def table(peers, absent):
    lines = ["| | version | connections | requests/s | p50 ms | p99 ms | errors | Seatrial is faster by | first answer s | MiB idle | MiB after |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    middle = lambda rows, key: statistics.median(row[key] for row in rows)
    for peer in peers:
        for connections, rows in peer.rows.items():
            ratio = middle(peers[0].rows[connections], "rate") / middle(rows, "rate")
            lines.append(f"| {peer.name} | {peer.version()} | {connections} | {middle(rows, 'rate'):,.0f} | {middle(rows, 'p50'):.3f} | "
                         f"{middle(rows, 'p99'):.3f} | {sum(row['errors'] for row in rows)} | {ratio:.1f} | {peer.started:.2f} | {peer.idle:.0f} | "
                         f"{peer.after:.0f} |")
    lines += [f"| {name} | - | - | not measured: {why} | | | | | | | |" for name, why in absent.items()]
    return "\n".join(lines)


def page(options, body, peers, absent, load):
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, cwd=os.path.dirname(__file__), check=False)
    does = "\n".join(f"- **{peer.name}**: {peer.does}." for peer in peers)
    busy = "" if load < 1 else "\n**The machine was busy with other work: these figures show that the script runs, not who is faster. Run it again on a quiet one.**\n"
    return f"""# peers

What it shows: how fast the simulator answers beside simulators and stub servers of npm and PyPI, although it does more for each answer.

Run by `tests/peers/throughput.py SEATRIAL --page docs/proofs/peers.md` on {datetime.now(timezone.utc):%Y-%m-%d} (script at commit
{commit.stdout.strip()}), on a machine of {os.cpu_count()} cores that also ran the load (load average {load:.1f} before the start). All servers ran at once, idle
but for the one that was asked. {options.rounds} rounds interleaved, {options.seconds} s each by `wrk` on one thread over kept connections, after a warm-up; medians.
Each request is `GET {PATH}` with an Authorization header, each answer {len(body)} bytes of JSON: the answer of the simulator, which the stubs repeat.

{busy}
{table(peers, absent)}

What each does for an answer:
{does}

"MiB" is resident memory of the process and its children; the simulator's grows with its journal, which keeps a line a request. "first answer" is from the
start of the process to the first right answer, the stub or the token included.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seatrial")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder")
    parser.add_argument("--page")
    options = parser.parse_args()
    lacking = [tool for tool in ("wrk", "node", "npm", "java") if shutil.which(tool) is None]
    if lacking:
        print("needed: " + ", ".join(lacking), file=sys.stderr)
        return 2
    load = os.getloadavg()[0]
    folder = options.folder or tempfile.mkdtemp(prefix="peers-")
    install(folder)
    body, peers, absent = measure(options, folder)
    text = page(options, body, peers, absent, load)
    print(text)
    if options.page:
        with open(options.page, "w", encoding="utf-8") as file:
            file.write(text)
    if not options.folder:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
