"""Requests as a platform wants them: one token until it ends, even pacing, Retry-After, backoff with jitter, and a look before a repeat."""

import base64
import os
import random
import threading
import time

import requests

ATTEMPTS = 9  # 0.5 s doubled to 30 s: about a minute and a half of patience, longer than one window of any limit here
LONGEST_WAIT = 30.0


class Clock:
    """Time as the platforms count it. Under a scaled clock they run `factor` times faster, so waits are divided by it; under faketime
    this process's own clock already does, and divides nothing."""

    def __init__(self, environment=os.environ):
        self.factor = 1.0 if "FAKETIME" in environment else float(environment.get("REHEARSAL_CLOCK_FACTOR", "1"))
        self.began = time.time()

    def seconds(self):
        return time.monotonic() * self.factor

    def unix_ms(self):
        """Now, for what a retention is held against."""
        return int((self.began + (time.time() - self.began) * self.factor) * 1000)

    def sleep(self, seconds):
        time.sleep(max(0.0, seconds) / self.factor)


class Unreachable(Exception):
    """Nobody answered usefully, for as long as anyone would wait. `side`: source or target."""

    def __init__(self, side, what):
        super().__init__(f"{what}: the {side} does not answer")
        self.side = side


class Denied(Exception):
    """The platform will not have us: credentials or permissions."""

    def __init__(self, side, what):
        super().__init__(f"{what}: the {side} refuses us")
        self.side = side


class Refused(Exception):
    """The platform refuses this request; a repeat would be refused too."""

    def __init__(self, what, response):
        self.status, self.body = response.status_code, response.text[:300]
        super().__init__(f"{what}: {self.status} {self.body}")


class Pacer:
    """Spaces requests evenly, so that no window of any shape sees one too many; a Retry-After holds back everybody."""

    def __init__(self, clock, per_second):
        self.clock, self.interval = clock, 1.0 / per_second if per_second else 0.0
        self.next, self.held, self.lock = 0.0, 0.0, threading.Lock()

    def wait(self):
        while True:
            with self.lock:
                now = self.clock.seconds()
                slot = max(now, self.next)
                self.next = slot + self.interval
            self.clock.sleep(slot - now)
            # Somebody may have been told to wait while this one slept.
            with self.lock:
                if self.clock.seconds() >= self.held:
                    return

    def hold(self, seconds):
        with self.lock:
            self.held = max(self.held, self.clock.seconds() + seconds)
            self.next = max(self.next, self.held)


class Basic:
    """An account with a password."""

    def __init__(self, username, password):
        self.value = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    def header(self, api):
        return self.value

    def discard(self, header):
        return False


class ClientCredentials:
    """One token for everybody, kept until shortly before it ends."""

    def __init__(self, url, client_id, secret):
        self.url, self.pair = url, (client_id, secret)
        self.value, self.until, self.lock = None, 0.0, threading.Lock()

    def header(self, api):
        with self.lock:
            if self.value is None or api.clock.seconds() >= self.until:
                self.renew(api)
            return self.value

    def renew(self, api):
        asked = api.clock.seconds()
        answer = api.patiently("token", lambda: api.session().post(
            self.url + "/oauth/token", data={"grant_type": "client_credentials"}, auth=self.pair, timeout=30), None, (200,))
        body = answer.json()
        life = float(body.get("expires_in", 3600))
        self.value, self.until = "Bearer " + body["access_token"], asked + life - min(30.0, life / 10)

    def discard(self, header):
        """Forgets a token the platform no longer takes, unless somebody already has a new one."""
        with self.lock:
            if self.value == header:
                self.value = None
        return True


class Api:
    """One platform. `side` is source or target."""

    def __init__(self, side, base, clock, auth, per_second=0.0):
        self.side, self.base, self.clock, self.auth = side, base.rstrip("/"), clock, auth
        self.pacer, self.local = Pacer(clock, per_second), threading.local()

    def session(self):
        if not hasattr(self.local, "session"):
            self.local.session = requests.Session()
        return self.local.session

    def call(self, what, method, path, expect=(200,), look=None, pacer=None, **request):
        """Sends one request until it is answered. `look` is asked before a repeat whose first outcome nobody knows, and what it finds
        stands for the answer; reads and writes that may be repeated need none."""
        url = path if path.startswith("http") else self.base + path
        headers = request.pop("headers", {})
        renewed = []

        def send():
            (pacer or self.pacer).wait()
            signed = self.signed(method)
            answer = self.session().request(method, url, headers={**signed, **headers}, timeout=60, allow_redirects=False, **request)
            if len(renewed) < 3 and self.stale(answer, signed):
                renewed.append(signed)
                return send()
            return answer

        return self.patiently(what, send, look, expect, pacer or self.pacer)

    def signed(self, method):
        """The headers that say who we are."""
        return {"Authorization": self.auth.header(self)}

    def stale(self, answer, signed):
        """Whether only what we signed with has run out; it is forgotten then, and the request was not looked at."""
        return answer.status_code == 401 and self.auth.discard(signed["Authorization"])

    def patiently(self, what, send, look, expect, pacer=None):
        for attempt in range(ATTEMPTS):
            try:
                answer = send()
            except requests.RequestException:
                answer = None
            if answer is not None and answer.status_code in expect:
                return answer
            if answer is not None and not self.passing(answer.status_code):
                if answer.status_code in (401, 403):
                    raise Denied(self.side, f"{what}: {answer.status_code}")
                raise Refused(what, answer)
            self.back_off(attempt, answer, pacer)
            outcome_unknown = answer is None or answer.status_code >= 500
            found = look() if look and outcome_unknown else None
            if found is not None:
                return found
        raise Unreachable(self.side, what)

    def passing(self, status):
        return status in (408, 425, 429) or status >= 500

    def back_off(self, attempt, answer, pacer):
        stated = self.stated_wait(answer)
        if stated is not None:
            if pacer:
                pacer.hold(stated)
            self.clock.sleep(stated + random.uniform(0, 0.25))
        else:
            self.clock.sleep(min(LONGEST_WAIT, 0.5 * 2 ** attempt) * random.uniform(0.5, 1.0))

    def stated_wait(self, answer):
        text = answer.headers.get("Retry-After", "") if answer is not None else ""
        return float(text) if text.isdigit() else None
