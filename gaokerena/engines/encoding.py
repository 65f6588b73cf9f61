"""From a call's requests to rows of the batch, from a row's tokens to events, and the sentences when either fails.

    encode(job, loaded, models)        # every request becomes a row, or is told at once why not
    advance(writer, row, token)        # a token, the end, or an error of one row
    writer.fail(*told(error))          # (sentence for the visitor, line for the log, the same in English)

Not covered: when rows join the batch (`local`), how they are decoded (`decoding`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch

from gaokerena.answers import Usage
from gaokerena.engines.base import Failed, Finished, Request
from gaokerena.engines.decoding import Row
from gaokerena.engines.jobs import Job
from gaokerena.engines.loading import Loaded
from gaokerena.engines.writer import Writer
from gaokerena.persian import persian_digits

TOO_LONG = (
    "این گفت‌وگو بلندتر از آن است که مدل بتواند بخواند ({tokens} واحد از {context}). "
    "پرسش را کوتاه‌تر کنید یا گفت‌وگوی تازه‌ای آغاز کنید."
)
TOO_LONG_EN = (
    "This conversation is longer than the model can read ({tokens} of {context} tokens). "
    "Shorten the question or start a new conversation."
)
OUT_OF_MEMORY = "حافظهٔ دستگاه برای این پاسخ کافی نبود. پرسش کوتاه‌تری بپرسید یا کمی بعد دوباره بکوشید."
OUT_OF_MEMORY_EN = "The machine had too little memory for this answer. Ask something shorter, or try again shortly."
BROKEN = "در ساختن پاسخ خطایی پیش آمد. لطفاً دوباره بپرسید."
BROKEN_EN = "Making this answer failed. Please ask again."
NO_MODEL = "این مدل در دسترس نیست."
NO_MODEL_EN = "This model is not available."


def told(error: Exception) -> tuple[str, str, str]:
    """What is said of an error that ended a row: to the visitor, to the log, to the visitor in English."""
    memory = isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate" in str(error)
    persian, english = (OUT_OF_MEMORY, OUT_OF_MEMORY_EN) if memory else (BROKEN, BROKEN_EN)
    return persian, f"{type(error).__name__}: {error}", english


def encode(job: Job, loaded: Loaded, models: Sequence[str]) -> None:
    """Turn a call's requests into rows, once; those that cannot be answered end here."""
    if job.encoded:
        return
    job.encoded = True
    for number, request in enumerate(job.requests):
        try:
            row = _row(job, number, request, loaded, models)
        except Exception as error:  # a template or tokenizer that refuses this text
            job.send(number, Failed(BROKEN, f"{type(error).__name__}: {error}", BROKEN_EN))
            continue
        if row is not None:
            name = loaded.revisions.get(request.model, "")
            send = partial(job.send, number)
            job.rows[row] = (number, Writer(loaded.tokenizer, row, request.prompting, name, send))
    job.pending = list(job.rows)


def _row(job: Job, number: int, request: Request, loaded: Loaded, models: Sequence[str]) -> Row | None:
    """The row for a request; None, with its end sent, when there is nothing to decode."""
    if request.model not in models:
        detail = f"no model {request.model!r}; there are {', '.join(models)}"
        job.send(number, Failed(NO_MODEL, detail, NO_MODEL_EN))
        return None
    turns = [{"role": turn.role, "content": turn.content} for turn in request.messages]
    text = loaded.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    prompt = loaded.tokenizer(text, add_special_tokens=False).input_ids
    room = loaded.context - len(prompt)
    if room < 1:
        job.send(number, _too_long(len(prompt), loaded.context))
        return None
    limit = min(request.sampling.max_new_tokens, room)
    if limit < 1:
        job.send(number, Finished(Usage(prompt_tokens=len(prompt)), "length"))
        return None
    return Row(request.model, tuple(prompt), request.sampling, request.seed, limit)


def _too_long(tokens: int, context: int) -> Failed:
    message = TOO_LONG.format(tokens=persian_digits(tokens), context=persian_digits(context))
    return Failed(message, "prompt longer than the context", TOO_LONG_EN.format(tokens=tokens, context=context))


def advance(writer: Writer, row: Row, token: int | Exception | None) -> None:
    """Hand a decoded token to the row's writer; None ends the row, an exception fails it, its limit cuts it."""
    if token is None:
        writer.finish("stop")
        return
    if isinstance(token, Exception):
        writer.fail(BROKEN, f"{type(token).__name__}: {token}", BROKEN_EN)
        return
    writer.update()
    if len(row.tokens) >= row.limit:
        writer.finish("length")
