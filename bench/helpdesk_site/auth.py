"""The token of Django REST framework under the keyword that the load sends."""

from rest_framework.authentication import TokenAuthentication


class Bearer(TokenAuthentication):
    """`Authorization: Bearer TOKEN`."""

    keyword = "Bearer"
