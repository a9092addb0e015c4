"""Makes the first ADMIN of an empty database."""

from __future__ import annotations

from symphony.v1.access_service_pb2 import CreateTokenRequest
from symphony.v1.user_pb2 import Role, Tier, User
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Deployment
from symphony_server.use_cases.operator import perform_as_operator
from symphony_server.use_cases.tokens.create_token import create_token
from symphony_server.use_cases.users.create_user import create_user


def create_first_admin(transaction: Transaction, deployment: Deployment, email: str) -> User | None:
    """The first ADMIN, made; None when there are users already."""
    if not transaction.users.none_exist():
        return None
    request = CreateUserRequest(
        email=email, name="Administrator", tier=Tier.TIER_ENTERPRISE, roles=[Role.ROLE_ADMIN]
    )
    admin: User = perform_as_operator(transaction, deployment, create_user, request)
    return admin


def bootstrap_admin(transaction: Transaction, deployment: Deployment, email: str) -> str | None:
    """The secret of the first ADMIN's token; None when there are users already."""
    admin = create_first_admin(transaction, deployment, email)
    if admin is None:
        return None
    request = CreateTokenRequest(user_id=admin.id, name="bootstrap", scopes=["*"])
    made = perform_as_operator(transaction, deployment, create_token, request)
    return str(made.secret)
