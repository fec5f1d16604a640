"""schemathesis over the whole OpenAPI document against a real service: no 5xx, no answer that the document omits.

Every operation gets its share of cases: as the document says, against it, and with bodies of arbitrary bytes; each
comes from somebody (`tests.fuzz.identities`), and often names a ticket that is there.
"""

from __future__ import annotations

import asyncio
import random
import warnings
from collections import Counter
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning, NonInteractiveExampleWarning, Unsatisfiable
from schemathesis import Case, GenerationMode, Response
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks as openapi_checks
from tqdm import tqdm

from tests.fuzz.identities import UNIT, Identities, add_people, environment, known_numbers
from tests.processes import TOKEN, House

CHECKS = [
    schemathesis.checks.not_a_server_error, openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance, openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
]
MOODS = ("positive", "positive", "negative", "bytes")
TEXTS = ["体育路第3盏路灯不亮", "厂房着火了, 有人被困在里面, 快来救人", "图书馆几点关门", "工厂晚上排放刺鼻气味"]
ODD = ["\u202e", "\ufeff", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "e\u0301" * 40, "\u0000", "\ud800", "𠮷" * 300,
       "' OR 1=1 --", "../../etc/passwd", "%00", "{{7*7}}", "<svg onload=1>", "=1+1", "\r\nX: y",
       "9" * 400, "-0", "1e999", "NaN"]


def _endless(answer: requests.Response) -> bool:
    """Tell whether an answer does not end by itself; then its head is looked at only."""
    return answer.status_code == 101 or answer.headers.get("Content-Type", "").startswith("text/event-stream")


class HttpFuzz:
    """Sends cases and keeps what was wrong, one example of each sort."""

    def __init__(self, house: House, who: Identities, numbers: list[tuple[str, str]], *, seed: int) -> None:
        self._house, self._who, self._numbers = house, who, numbers
        self._rng, self._session = random.Random(seed), requests.Session()
        self.cases, self.statuses = 0, Counter[str]()
        self.wrong: dict[str, str] = {}

    def run(self, cases: int, *, quiet: bool) -> None:
        """Send about `cases` cases, the same number to each operation."""
        document = self._session.get(f"{self._house.url}/openapi.json", timeout=30).json()
        operations = [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]
        share = max(1, -(-cases // (len(operations) * len(MOODS))))
        with tqdm(total=share * len(operations) * len(MOODS), desc="HTTP", unit=" cases", disable=quiet) as bar:
            for operation in operations:
                for mood in MOODS:
                    self._operation(operation, mood, share)
                    bar.update(share)

    def _operation(self, operation: Any, mood: str, share: int) -> None:
        mode = GenerationMode.NEGATIVE if mood == "negative" else GenerationMode.POSITIVE

        @settings(max_examples=share, deadline=None, database=None, suppress_health_check=list(HealthCheck),
                  phases=[Phase.generate])
        @given(operation.as_strategy(generation_mode=mode), st.binary(max_size=400) | st.sampled_from(ODD))
        def once(case: Case, noise: bytes | str) -> None:
            self._send(case, noise, mood)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=HypothesisWarning)
            warnings.simplefilter("ignore", category=NonInteractiveExampleWarning)
            try:
                once()
            except Unsatisfiable:
                return  # nothing about this operation can be wrong

    def _send(self, case: Case, noise: bytes | str, mood: str) -> None:
        request = self._prepared(case, noise, mood)
        if request is None:
            return
        name = self._somebody(case)
        self._who.of(name)(request)
        try:
            answer = self._session.send(request, timeout=30, stream=True, allow_redirects=False)
            endless = _endless(answer)
            if not endless:
                answer.content  # noqa: B018 - reads it
        except requests.RequestException as error:
            self._note(case, f"no answer: {type(error).__name__}: {error}", request)
            return
        if answer.status_code == 401:
            self._who.ended(name)
        self._judge(case, answer, request, endless=endless)
        answer.close()

    def _prepared(self, case: Case, noise: bytes | str, mood: str) -> requests.PreparedRequest | None:
        self._lead(case)
        try:
            named = case.as_transport_kwargs(base_url=self._house.url)
            if mood == "bytes":
                named.pop("json", None)
                named.pop("files", None)
                named["data"] = noise.encode(errors="surrogatepass") if isinstance(noise, str) else noise
            allowed = {key: value for key, value in named.items() if key in (
                "method", "url", "headers", "params", "data", "json", "files", "cookies")}
            return self._session.prepare_request(requests.Request(**allowed))
        except (requests.RequestException, UnicodeError, ValueError):
            return None  # no client could send it; raw bytes are for tests/fuzz/test_raw.py

    def _lead(self, case: Case) -> None:
        """Often name what is there, or nothing behind the look-up would be met; now and then something odd."""
        if self._rng.random() < 0.3:
            return
        number, code = self._rng.choice(self._numbers)
        known = {"number": number, "code": code, "unit": UNIT, "form": "json", "version": "2026-01"}
        if case.operation.path.startswith("/api/v1/neighbours"):
            known["code"] = "440100"
        odd = self._rng.choice(ODD) if self._rng.random() < 0.15 else None
        for place in (case.path_parameters, case.query):
            for key in place or ():
                if odd is not None:
                    place[key] = odd.replace("\ud800", "x").replace("/", "x")
                elif key in known:
                    place[key] = known[key]
        if isinstance(case.body, dict):
            self._worded(case.body, number, code)

    def _worded(self, body: dict[str, Any], number: str, code: str) -> None:
        """Give a body the words of a real one, or odd ones."""
        known = {"number": number, "code": code, "text": self._rng.choice(TEXTS), "content": self._rng.choice(TEXTS)}
        for key, value in body.items():
            if key in known and isinstance(value, str):
                body[key] = known[key]
            elif isinstance(value, str) and self._rng.random() < 0.1:
                body[key] = self._rng.choice(ODD).replace("\ud800", "")

    def _somebody(self, case: Case) -> str:
        if self._rng.random() < 0.15:
            return self._rng.choice(self._who.names)
        security = [name for one in case.operation.definition.raw.get("security", [{}]) for name in (one or {"": []})]
        return self._rng.choice(self._who.likely(case.operation.path, security) or ["nobody"])

    def _judge(
        self, case: Case, answer: requests.Response, request: requests.PreparedRequest, *, endless: bool
    ) -> None:
        self.cases += 1
        self.statuses[str(answer.status_code)] += 1
        if endless:
            if str(answer.status_code) not in case.operation.definition.raw["responses"]:
                self._note(case, f"undocumented {answer.status_code}", request)
            return
        try:
            case.validate_response(Response.from_requests(answer, verify=False), checks=CHECKS)
        except (FailureGroup, Failure) as found:
            for failure in getattr(found, "exceptions", [found]):
                said = " ".join(f"{failure}".split())[:300]
                self._note(case, f"{type(failure).__name__} {answer.status_code}: {said}", request, answer)

    def _note(
        self, case: Case, what: str, request: requests.PreparedRequest, answer: requests.Response | None = None
    ) -> None:
        sort = f"{case.operation.label}: {what[:60]}"
        body = request.body if isinstance(request.body, bytes | str) else b""
        sent = f"{request.method} {request.url} {dict(request.headers)} {body[:300]!r}"
        said = f"\n    got  {answer.text[:300]!r}" if answer is not None else ""
        if sort not in self.wrong:
            self.wrong[sort] = f"{what}\n    sent {sent}{said}"
            tqdm.write(f"found: {sort}")  # at once: a long run may be stopped before its end


def seed_tickets(house: House) -> None:
    """Let some tickets be there."""
    for n, text in enumerate(TEXTS * 2):
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": f"seed-{n}"}
        answer = requests.post(f"{house.url}/api/v1/appeals", json={"text": text}, headers=headers, timeout=30)
        answer.raise_for_status()


async def fuzz_http(*, cases: int, seed: int = 1, quiet: bool = False) -> HttpFuzz:
    """Run it against a service of its own and return what was found."""
    async with House(durable=False, environment=environment()) as house:
        unit_token = await asyncio.to_thread(add_people, house)
        house.start_desk()
        await house.serve()
        await asyncio.to_thread(seed_tickets, house)
        numbers = await known_numbers(house.dsn)
        fuzz = HttpFuzz(house, Identities(house, unit_token), numbers, seed=seed)
        await asyncio.to_thread(fuzz.run, cases, quiet=quiet)
        if house.process("service").poll() is not None:
            fuzz.wrong["the service"] = f"it ended: {house.log_of('service')[-2000:]}"
        for line in house.log_of("service").splitlines():
            if "Traceback" in line or '"level": "error"' in line or "unexpected_error" in line:
                fuzz.wrong.setdefault(f"log: {line[:80]}", line[:3000])
        return fuzz
