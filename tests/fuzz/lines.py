"""What comes over the telephone's lines, and answers of those whom we ask: the other side may say anything.

Where a stream is cut into messages, it says the same however it arrives.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from agent_ui import oidc_codec
from channels import ari_codec, ari_socket_codec, audiosocket_codec, funasr_codec, wechat_api
from channels.audiosocket_codec import Kind, Messages
from channels.clean import MAX_TEXT, clean
from routing import police110
from tests.fuzz.spoil import grafted, spliced

ISSUER, CLIENT, CLAIM, NONCE, ACR = "https://id.example.gov.cn", "hotline", "preferred_username", "n-1", "two"
_RESULT = {"mode": "2pass-offline", "text": "鸿福路路灯不亮", "is_final": False, "wav_name": "call"}
_EVENT = {
    "type": "StasisStart", "args": [], "channel": {
        "id": "1795232105.7", "state": "Up", "caller": {"name": "", "number": "13800138000"},
        "dialplan": {"context": "in", "exten": "12345", "app_name": "Stasis", "app_data": "hotline"},
    }, "playback": {"id": "welcome~1795232105.7"}, "digit": "1", "cause": 16,
}
_ANSWER = {"type": "RESTResponse", "request_id": "7", "status_code": 200, "message_body": "[]", "uri": "channels"}
_SOUND = audiosocket_codec.encode(Kind.ID, bytes(range(16))) + audiosocket_codec.encode(Kind.AUDIO, bytes(320))
_RECEIPT = {"incident": "J20261121000001", "key": "DG2026112140000017-3", "accepted": True, "reason": ""}
_TOLD = {"access_token": "t-1", "expires_in": 7200, "errcode": 0, "errmsg": "ok", "video_url": "https://v.example/1"}
_CONFIGURATION = {
    "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks", "scopes_supported": ["openid"],
}
_PRIVATE = ec.derive_private_key(7, ec.SECP256R1())
_PUBLIC = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(_PRIVATE.public_key()))
_KEYS = {"keys": [_PUBLIC | {"kid": "k1", "use": "sig", "alg": "ES256"}, {"kty": "oct", "k": "AAAA", "kid": "k2"}]}
_CLAIMS = {
    "iss": ISSUER, "aud": CLIENT, "sub": "1", "iat": 1_700_000_000, "exp": 9_795_232_105, "nonce": NONCE,
    "acr": ACR, CLAIM: "zhang",
}


def _heard(data: bytes) -> object:
    sentences, told = funasr_codec.Sentences(), []
    for frame in (data, data.decode("utf-8", "replace"), grafted(_RESULT, data), grafted(_RESULT, data).decode()):
        if (said := sentences.take(frame)) is not None:
            assert clean(said.text) == said.text, "it goes into the database"
            assert len(said.text) <= MAX_TEXT
            told.append(said)
    return told


def _desk(body: bytes) -> object:
    answer = police110.read_answer(body)
    assert clean(answer.incident + answer.reason) == answer.incident + answer.reason, "it goes into the database"
    return answer


def _sound(data: bytes) -> object:
    stream, rng = spliced(_SOUND, data), random.Random(data)
    whole, pieces, arriving = Messages().feed(stream), [], Messages()
    for start in range(0, len(stream), size := rng.randrange(1, 50)):
        pieces += arriving.feed(stream[start:start + size])
    assert pieces == whole
    return whole and audiosocket_codec.id_of(whole[0])


def _both(read: Callable[[bytes], object], document: Any) -> Callable[[bytes], object]:
    """The bytes by themselves, or grafted into a real document."""
    return lambda data: read(random.Random(data).choice([data, grafted(document, data)]))


def _wechat(body: bytes) -> object:
    answer = wechat_api.read_answer(body)
    wechat_api.raise_for(answer)
    return wechat_api.video_address(answer), wechat_api.read_token(answer)


def _configuration(data: bytes) -> object:
    return oidc_codec.read_configuration(grafted(_CONFIGURATION, data), issuer=ISSUER)


def _keys(data: bytes) -> object:
    return [key.key_id for key in oidc_codec.read_keys(grafted(_KEYS, data))]


def _name(data: bytes) -> object:
    """An ID token that the provider signed: whatever it says, it is a name or refused."""
    return _vouched(_signed(random.Random(data).choice([grafted(_CLAIMS, data), data])))


def _token(data: bytes) -> object:
    real = _signed(json.dumps(_CLAIMS).encode())
    spoilt = spliced(real.encode(), data).decode("utf-8", "replace")
    told = random.Random(data).choice([spoilt, real])
    return _vouched(oidc_codec.read_tokens(200, grafted({"id_token": told, "token_type": "Bearer"}, data)).id_token)


def _signed(claims: bytes) -> str:
    return jwt.PyJWS().encode(claims, _PRIVATE, algorithm="ES256", headers={"kid": "k1"})


def _vouched(token: str) -> str:
    keys = oidc_codec.read_keys(json.dumps(_KEYS).encode())
    key = oidc_codec.key_of(keys, oidc_codec.key_id_of(token))
    if key is None:
        return ""
    claims = oidc_codec.read_claims(token, key, client=CLIENT, issuer=ISSUER)
    name = oidc_codec.name_in(claims, claim=CLAIM, nonce=NONCE, acr=frozenset({ACR}))
    assert name
    assert clean(name) == name, "it is looked up in the database"
    return name


LINES: dict[str, Callable[[bytes], object]] = {
    "ari": _both(ari_codec.decode_event, _EVENT),
    "ari bridges": _both(ari_codec.decode_bridges, [{"id": "bridge~c1", "channels": ["c1"]}]),
    "ari channels": _both(ari_codec.decode_channels, [_EVENT["channel"]]),
    "ari socket": _both(ari_socket_codec.decode_answer, _ANSWER),
    "audiosocket": _sound,
    "desk's answer": _both(_desk, _RECEIPT),
    "funasr": _heard,
    "oidc configuration": _configuration,
    "oidc keys": _keys,
    "oidc name": _name,
    "oidc token": _token,
    "wechat's answer": _both(_wechat, _TOLD),
}
