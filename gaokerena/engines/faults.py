"""What went wrong with a model server: a sentence for the visitor in two languages, one for the log, retry or not.

    try: ...
    except Exception as error:
        fault = server_error(error)
        if fault.retryable: ...

Retryable are failures that say nothing about the request itself: no connection, 408, 409, 429, 5xx. Everything else
(401, 403, 404, 400, an answer that cannot be read, a timeout while the server works) would fail again or make a busy
server busier. Whether text was shown already is the caller's to know. What a server wrote may repeat what a visitor
wrote, so every detail is scrubbed of personal identifiers before it is shortened.

Not covered: keys in texts (see `endpoint`).
"""

from __future__ import annotations

import json
import re

import openai

from gaokerena.engines.retry import retry_after
from gaokerena.persian import persian_digits
from gaokerena.scrub import scrub

UNREACHABLE = "به سرور مدل وصل نشدیم. کمی بعد دوباره بپرسید."
BUSY = "سرور مدل اکنون شلوغ است. کمی بعد دوباره بپرسید."
BUSY_FOR = "سرور مدل اکنون شلوغ است. پس از {seconds} ثانیه دوباره بپرسید."
BROKEN = "سرور مدل با خطا روبه‌رو شد. کمی بعد دوباره بپرسید."
REFUSED_KEY = "سرور مدل کلید دسترسی را نپذیرفت. لطفاً به مسئول سامانه خبر دهید."
UNKNOWN_MODEL = "سرور این مدل را نمی‌شناسد. لطفاً به مسئول سامانه خبر دهید."
TOO_LONG = "پرسش و گفت‌وگوی پیش از آن در گنجایش مدل نمی‌گنجد. پرسش را کوتاه‌تر کنید یا گفت‌وگوی تازه‌ای آغاز کنید."
BAD_REQUEST = "سرور مدل این درخواست را نپذیرفت. لطفاً به مسئول سامانه خبر دهید."
UNREADABLE = "پاسخ سرور مدل خوانا نبود. لطفاً به مسئول سامانه خبر دهید."
CUT = "پاسخ پیش از پایان قطع شد. آنچه نوشته شده مانده است؛ می‌توانید دوباره بپرسید."
NO_START = "مدل تا {seconds} ثانیه پاسخی نداد. کمی بعد دوباره بپرسید."
STALLED = "مدل در میانهٔ پاسخ از نوشتن بازماند. آنچه نوشته شده مانده است؛ می‌توانید دوباره بپرسید."
WITHHELD = "سرور مدل ادامهٔ این پاسخ را نگه داشت. پرسش را به گونه‌ای دیگر بنویسید."
UNEXPECTED = "خطایی پیش‌بینی‌نشده رخ داد. لطفاً به مسئول سامانه خبر دهید."
NO_MODEL = "این مدل در دسترس نیست."

ENGLISH = {
    UNREACHABLE: "The model server cannot be reached. Ask again shortly.",
    BUSY: "The model server is busy. Ask again shortly.",
    BUSY_FOR: "The model server is busy. Ask again in {seconds} seconds.",
    BROKEN: "The model server had an error. Ask again shortly.",
    REFUSED_KEY: "The model server refused the access key. Please tell whoever runs this page.",
    UNKNOWN_MODEL: "The server does not know this model. Please tell whoever runs this page.",
    TOO_LONG: "The question and the conversation before it do not fit into the model. Shorten the question or begin a "
    "new conversation.",
    BAD_REQUEST: "The model server did not accept this request. Please tell whoever runs this page.",
    UNREADABLE: "The answer of the model server could not be read. Please tell whoever runs this page.",
    CUT: "The answer broke off before its end. What was written is kept; you can ask again.",
    NO_START: "The model gave no answer within {seconds} seconds. Ask again shortly.",
    STALLED: "The model stopped writing in the middle of the answer. What was written is kept; you can ask again.",
    WITHHELD: "The model server held the rest of this answer back. Put the question in other words.",
    UNEXPECTED: "An unexpected error occurred. Please tell whoever runs this page.",
    NO_MODEL: "This model is not available.",
}
"""What each sentence above says, for a visitor of the English page."""

_TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|maximum (?:context|model) length|max_model_len|exceed\w*_context|"
    r"(?:inputs?|prompt)\W.{0,40}(?:too long|must (?:have|be) (?:less|<))|too many tokens",
    re.IGNORECASE,
)
_LASTING = {"insufficient_quota", "billing_hard_limit_reached"}
_DETAIL_LENGTH, _SCRUBBED = 500, 4_000  # a whole page may come: scrub the start, then cut, so that no number is cut


class ServerError(Exception):
    """One failed try. `retry_after` is the server's wish in seconds, if it has one.

    `seconds` fills the place for them in `message`, which is one of the sentences of this module.
    """

    def __init__(
        self,
        message: str,
        detail: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        seconds: float = 0.0,
    ) -> None:
        self.detail = scrub(detail).text
        super().__init__(self.detail)
        self.message = message.format(seconds=persian_digits(f"{seconds:g}").replace(".", "٫"))
        self.english = ENGLISH.get(message, "").format(seconds=f"{seconds:g}")
        self.retryable = retryable
        self.retry_after = retry_after


def server_error(error: Exception) -> ServerError:
    """The fault behind whatever the client, the connection or the reading of a stream raised."""
    match error:
        case ServerError():
            return error
        case openai.APIStatusError():
            return _of_status(error.status_code, _said(error), error)
        case openai.APIConnectionError():
            cause = error.__cause__
            detail = f"no connection: {type(cause).__name__}: {cause}" if cause else f"no connection: {error.message}"
            return ServerError(UNREACHABLE, f"{detail}; is the server running and base_url right?", retryable=True)
        case openai.APIError():
            return _of_status(_status_in(error), f"error inside the stream: {_said(error)}", None)
        case json.JSONDecodeError():
            return ServerError(UNREADABLE, f"a chunk of the stream is not JSON ({error}): {quoted(error.doc)}")
        case UnicodeDecodeError():
            return ServerError(UNREADABLE, f"a chunk of the stream is not UTF-8: {error.reason} at byte {error.start}")
    return ServerError(UNEXPECTED, f"{type(error).__name__}: {error}")


def _of_status(status: int, said: str, error: openai.APIStatusError | None) -> ServerError:
    detail = f"HTTP {status}: {said}" if status else said
    wait = retry_after(error.response.headers) if error else None
    if status == 429:
        message = BUSY_FOR if wait and wait >= 1 else BUSY
        lasting = error is not None and bool({error.code, error.type} & _LASTING)
        return ServerError(message, detail, retryable=not lasting, retry_after=wait, seconds=round(wait or 0))
    if status in (408, 409) or status >= 500:
        return ServerError(
            BROKEN, detail, retryable=True, retry_after=retry_after(error.response.headers) if error else None
        )
    if status in (401, 403):
        return ServerError(REFUSED_KEY, f"{detail}; check api_key of this model")
    if status == 404:
        return ServerError(
            UNKNOWN_MODEL, f"{detail}; check the model name and that base_url ends where /chat/completions begins"
        )
    if status == 413 or (status in (0, 400, 422) and _TOO_LONG.search(said)):
        return ServerError(TOO_LONG, f"{detail}; shorten the conversation or lower max_new_tokens")
    if status:
        return ServerError(
            BAD_REQUEST, f"{detail}; is every field of extra_body and every sampling setting known there?"
        )
    return ServerError(BROKEN, detail)


def _said(error: openai.APIError) -> str:
    """What the server itself wrote, scrubbed and shortened: its message where the body has one, else the body."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        said = str(inner.get("message", inner)) if isinstance(inner, dict) else str(inner)
    else:
        said = str(body or error.message)
    return " ".join(scrub(said[:_SCRUBBED]).text.split())[:_DETAIL_LENGTH]


def quoted(said: object) -> str:
    """The beginning of what a server sent, in quotes. Scrubbed first: half an identifier is no longer seen as one."""
    return repr(scrub(str(said)[:_SCRUBBED]).text[:80])


def _status_in(error: openai.APIError) -> int:
    """The HTTP-like code some servers put into an error inside the stream; 0 when there is none."""
    code = error.code or ""
    return int(code) if code.isdecimal() and 400 <= int(code) < 600 else 0
