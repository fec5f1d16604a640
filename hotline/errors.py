"""The tree of errors that a caller can meet.

    HotlineError
    ├── InvalidInput          the request cannot be understood; says what to mend
    ├── Unauthenticated       no or wrong credentials
    ├── Forbidden             known, but not allowed
    ├── NotFound              no such thing, or not yours to see
    ├── IllegalTransition     the ticket's state does not allow this command
    ├── RuleViolation         the state allows it, a rule of the domain does not
    ├── VersionConflict       somebody else changed the ticket first
    ├── KeyReused             an idempotency key came back with other content
    ├── RateLimited           too many requests; carries `retry_after` seconds
    ├── Overloaded            the service is full; carries `retry_after` seconds
    └── Unavailable           a part outside this process does not answer

Each has a stable `error_id` (for programs) and a `detail` (for people who program). Where one thing of what was sent is
at fault, `field` names it: pages say in their own words what to mend. Edges turn errors into problem+json (RFC 9457) or
console errors; they carry no transport words themselves.
"""

from __future__ import annotations


class HotlineError(Exception):
    """Base of every error this project raises on purpose."""

    error_id = "internal"

    def __init__(self, detail: str, *, error_id: str | None = None, field: str = "") -> None:
        super().__init__(detail)
        self.detail, self.field = detail, field
        if error_id is not None:
            self.error_id = error_id


class InvalidInput(HotlineError):
    error_id = "invalid_input"


class Unauthenticated(HotlineError):
    error_id = "unauthenticated"


class Forbidden(HotlineError):
    error_id = "forbidden"


class NotFound(HotlineError):
    error_id = "not_found"


class IllegalTransition(HotlineError):
    error_id = "illegal_transition"


class RuleViolation(HotlineError):
    error_id = "rule_violation"


class VersionConflict(HotlineError):
    error_id = "version_conflict"


class KeyReused(HotlineError):
    error_id = "idempotency_key_reused"


class RateLimited(HotlineError):
    error_id = "rate_limited"

    def __init__(self, detail: str, *, retry_after: int = 1, field: str = "") -> None:
        super().__init__(detail, field=field)
        self.retry_after = retry_after


class Overloaded(HotlineError):
    error_id = "overloaded"

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(HotlineError):
    error_id = "unavailable"


UNREADABLE: tuple[type[Exception], ...] = (ValueError, RecursionError)
"""What decoding another's JSON, TOML or token raises: errors of msgspec, of tomllib and of UTF-8 are all ValueErrors;
nesting that is too deep is none."""
