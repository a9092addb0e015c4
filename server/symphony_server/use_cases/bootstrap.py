"""Makes the first ADMIN of an empty database."""

from __future__ import annotations

from symphony.v1.access_service_pb2 import CreateTokenRequest
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Deployment
from symphony_server.use_cases.operator import perform_as_operator
from symphony_server.use_cases.tokens.create_token import create_token
from symphony_server.use_cases.users.create_user import create_user


def bootstrap_admin(transaction: Transaction, deployment: Deployment, email: str) -> str | None:
    """The secret of the first ADMIN's token; None when there are users already."""
    if not transaction.users.none_exist():
        return None
    admin = perform_as_operator(
        transaction,
        deployment,
        create_user,
        CreateUserRequest(
            email=email, name="Administrator", tier=Tier.TIER_ENTERPRISE, roles=[Role.ROLE_ADMIN]
        ),
    )
    made = perform_as_operator(
        transaction,
        deployment,
        create_token,
        CreateTokenRequest(user_id=admin.id, name="bootstrap", scopes=["*"]),
    )
    return str(made.secret)
