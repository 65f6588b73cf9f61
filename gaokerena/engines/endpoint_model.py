"""One model on one OpenAI-compatible server, as the settings name it.

Apart from the engine (`endpoint`), so that reading the settings loads no client. Not covered: asking the server.
"""

from __future__ import annotations

from typing import Any, Literal

import httpx2
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from gaokerena.questions import Prompting

Dialect = Literal["openai", "vllm", "llama.cpp"]
"""Which sampling settings beyond the standard ones the server knows, and what it assumes when they are not sent."""


class EndpointModel(BaseModel):
    """One model on one server.

    `base_url` ends where `/chat/completions` begins (usually in `/v1`). `extra_body` is sent with every request, for
    example `{"lora": [{"id": 0, "scale": 1.0}]}` to llama.cpp. `prompting` is how this model is usually asked (a
    request's own prompting decides). `revision` names the weights; without it, the name the server answers with.
    `scrub` takes personal identifiers out of all that is sent; false only for a server on your own machine.
    `price_prompt` and `price_completion` are what a million tokens cost, in whatever you pay with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str
    model: str = Field(min_length=1)
    api_key: SecretStr = SecretStr("")
    dialect: Dialect = "openai"
    extra_body: dict[str, Any] = {}
    prompting: Prompting = "straight"
    revision: str = ""
    scrub: bool = True
    price_prompt: float | None = Field(None, ge=0)
    price_completion: float | None = Field(None, ge=0)

    @field_validator("base_url")
    @classmethod
    def _plain(cls, value: str) -> str:
        url = httpx2.URL(value)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("base_url must look like http://host:port/v1")
        if url.userinfo or url.query or url.fragment:
            raise ValueError("base_url may hold no user, password, query or fragment; a key belongs in api_key")
        return value.rstrip("/")

    @field_validator("api_key")
    @classmethod
    def _sendable(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value()
        if not key.isascii() or any(character.isspace() or not character.isprintable() for character in key):
            raise ValueError("api_key may hold only printable ASCII characters without spaces")
        return value
