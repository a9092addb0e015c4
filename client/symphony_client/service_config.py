"""Load balancing and the retry policy, written for gRPC's core, which does both.

A call that the server ends with UNAVAILABLE or CANCELLED is made again, after a jittered, doubling
pause, if the contract says that its method may be (`idempotency_level`); nothing else is. In an
outage the throttle ends the repeating: each failure takes a token, each success gives a tenth
back, and below half of them nobody retries. The core does not read `google.rpc.RetryInfo`; a
server that wants another pause says so in the trailer `grpc-retry-pushback-ms` beside it (a
negative one forbids the retry).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from symphony_client.contract_methods import ContractMethod

MAX_ATTEMPTS: Final = 5
"""gRPC makes no more whatever it is told (gRFC A6)."""

_RETRIED_STATUS_CODES: Final = ["UNAVAILABLE", "CANCELLED"]
"""gRPC servers end as CANCELLED what reaches them in the moment in which they stop."""
_FIRST_BACKOFF: Final = "0.1s"
_LONGEST_BACKOFF: Final = "2s"
_BACKOFF_GROWTH: Final = 2
# 60 calls into an outage make 63 or 64 attempts; 5 attempts each and no throttle made it 300.
_THROTTLE: Final = {"maxTokens": 10, "tokenRatio": 0.1}


def service_config(methods: Iterable[ContractMethod], *, attempts: int) -> str:
    """Returns the service config, as JSON, by which each safe method is tried `attempts` times."""
    names = [
        {"service": method.service, "method": method.name}
        for method in methods
        if method.safe_to_repeat
    ]
    policy = {
        "maxAttempts": attempts,
        "initialBackoff": _FIRST_BACKOFF,
        "maxBackoff": _LONGEST_BACKOFF,
        "backoffMultiplier": _BACKOFF_GROWTH,
        "retryableStatusCodes": _RETRIED_STATUS_CODES,
    }
    # gRPC refuses a policy of one attempt: not to retry is to have none.
    retried = [{"name": names, "retryPolicy": policy}] if attempts > 1 else []
    return json.dumps(
        {
            # Where a name has several addresses, each call goes to the next.
            "loadBalancingConfig": [{"round_robin": {}}],
            "methodConfig": retried,
            "retryThrottling": _THROTTLE,
        }
    )
