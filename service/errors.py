"""Every error that reaches an API user, as one tree. Only `api/` turns them into HTTP answers.

Each class is one `code` of the contract; `status` is its HTTP status (RFC 9110).
"""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a request: the field's path, the value as it came, and what was expected."""

    field: str
    value: Any
    expected: str
    code: str = "VALIDATION_ERROR"


class OrbitError(Exception):
    """Base of all. `faults` tells what was wrong, the first one is the answer's `details`."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500
    message: ClassVar[str] = "The server failed. The request id finds the reason in its log."

    def __init__(self, message: str = "", *faults: Fault, retry_after: float | None = None) -> None:
        super().__init__(message or self.message)
        self.faults = faults
        self.retry_after = retry_after


class InvalidJson(OrbitError):
    code, status, message = "INVALID_JSON", 400, "The body is not valid JSON."


class InvalidCursor(OrbitError):
    code, status, message = "INVALID_CURSOR", 400, "The cursor is not one that this list gave out."


class Unauthorized(OrbitError):
    code, status, message = "UNAUTHORIZED", 401, "Send a key in X-API-Key or as a bearer token."


class InvalidApiKey(OrbitError):
    code, status, message = "INVALID_API_KEY", 401, "The key is not known."


class InsufficientPermissions(OrbitError):
    code, status, message = "INSUFFICIENT_PERMISSIONS", 403, "The key lacks the scope that this needs."


class DestinationNotAllowed(OrbitError):
    code, status, message = "DESTINATION_NOT_ALLOWED", 403, "This destination may not be called."


class NotFound(OrbitError):
    code, status, message = "NOT_FOUND", 404, "There is no such resource."


class MethodNotAllowed(OrbitError):
    code, status, message = "METHOD_NOT_ALLOWED", 405, "This resource does not know the method."


class Conflict(OrbitError):
    code, status, message = "CONFLICT", 409, "It conflicts with what is there already."


class IdempotencyKeyReused(OrbitError):
    code, status = "IDEMPOTENCY_KEY_REUSED", 409
    message = "The idempotency key was used for another request."


class InUse(OrbitError):
    code, status, message = "IN_USE", 409, "Something still uses it."


class PayloadTooLarge(OrbitError):
    code, status, message = "PAYLOAD_TOO_LARGE", 413, "The body is too large."


class ValidationFailed(OrbitError):
    """Faults of a body or a query. The answer's code is the first fault's own."""

    code, status, message = "VALIDATION_ERROR", 422, "The request has faults."

    def __init__(self, *faults: Fault, message: str = "") -> None:
        super().__init__(message or self.message, *faults)


class NoTrunk(OrbitError):
    code, status, message = "NO_TRUNK", 422, "There is no trunk for this call."


class RateLimitExceeded(OrbitError):
    code, status, message = "RATE_LIMIT_EXCEEDED", 429, "Too many requests."


class ConcurrencyLimitExceeded(OrbitError):
    code, status, message = "CONCURRENCY_LIMIT_EXCEEDED", 429, "Too many calls are alive."


class TrunkFull(ConcurrencyLimitExceeded):
    message = "All channels of the trunk are in use."


class AsteriskUnavailable(OrbitError):
    code, status, message = "ASTERISK_UNAVAILABLE", 503, "No Asterisk node can take calls now."


class StoreUnavailable(OrbitError):
    code, status, message = "STORE_UNAVAILABLE", 503, "Redis does not answer."


class Fenced(StoreUnavailable):
    """Another process has taken this one's calls over, so it may write nothing more and ends. The next request reaches
    one that lives."""

    message = "This process was taken over by another one. Send the request again."
