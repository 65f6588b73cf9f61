"""GGUF files of a tiny random Cohere model and two adapters, read back by the real llama.cpp.

The model's tokens that are no whole text have a zero embedding, so their logits are 0 and greedy never picks them: what
is generated is always well-formed text and can be compared letter for letter.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, CohereConfig, CohereForCausalLM, PreTrainedTokenizerFast

from gaokerena.engines.base import Request, Sampling
from gaokerena.engines.endpoint import EndpointEngine
from gaokerena.engines.endpoint_model import EndpointModel
from gaokerena.messages import Message
from tests.engines.contract import finished, play
from tests.engines.llama_server import llama_server
from training import tokenizer as aya
from training.errors import TrainingError
from training.gguf import Dtype, convert_adapter, convert_model
from training.gguf_tokenizer import pre_tokenizer_name

# peft 0.21 still reads a name that transformers 5.23 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

TEXTS = (
    "تب کودک می‌تواند نشانهٔ عفونت باشد؛ دما را هر ۴ ساعت بسنجید و مایعات بیشتری به او بدهید.",
    "قرص متفورمین ۵۰۰ میلی‌گرم، روزی دو بار، همراه غذا. آزمایش HbA1c باید زیر 7.5% باشد.",
    "گزینهٔ (ب) درست است، زیرا درد قفسهٔ سینه با فعالیت بدتر می‌شود و به دست چپ می‌زند.\n\nنتیجه: B",
)
HARD = (
    "",
    " ",
    "  دو فاصله  در میان \n\n\n و سطر\tنو\r\n",
    "می‌خواهم‌ها ‌ نیم‌فاصلهٔ تنها",
    "۱۲۳۴۵۶ 123456 ١٢٣ ½ ²",
    "it's I'LL don'T",
    "اَعرابِ کاملُ ٱلله و هٔ و أ",
    "BP: 120/80 mmHg؛ «قند» = 98 mg/dL — خوب؟!",
    "🙂👩‍⚕️ emoji، 漢字 و עברית",
    "a\u00a0b\u2003c\u200fd\u202be",
    "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>سلام<|END_OF_TURN_TOKEN|>",
)
ASKED = (Message("user", "تب کودک را چگونه پایین بیاورم؟"),)
OFF_V, OFF_R = {"id": 0, "scale": 0.0}, {"id": 1, "scale": 0.0}
SCALES: dict[str, list[dict[str, float]]] = {
    "base": [OFF_V, OFF_R],
    "v": [{"id": 0, "scale": 1.0}, OFF_R],
    "r": [OFF_V, {"id": 1, "scale": 1.0}],
}
LETTERS = st.sampled_from("ابپتمییهۀ‌ٔ آ۱۲۳456ABz.,؛؟!()[]«»'\"%/-+=\n\t  🙂漢é\u00a0\u0301")


@dataclass
class Pair:
    """A base with two adapters on disk, and what transformers makes of them."""

    base: Path
    adapters: dict[str, Path]
    tokenizer: Any


def split_digits() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)])


def byte_level_bpe(pre_tokenizer: pre_tokenizers.PreTokenizer, folder: Path) -> Path:
    """A small BPE with this pre-tokenizer that puts a BOS in front, saved as transformers saves it."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizer, decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=500, special_tokens=list(aya.SPECIAL), initial_alphabet=alphabet)
    )
    bpe.post_processor = processors.TemplateProcessing(single=f"{aya.BOS} $A", special_tokens=[(aya.BOS, 5)])
    PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=aya.BOS, eos_token=aya.END_OF_TURN, pad_token=aya.PAD
    ).save_pretrained(folder)
    return folder


def tiny_model(folder: Path) -> Path:
    """A random Cohere model for the tokenizer in `folder`, with a few more rows than that has tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = CohereConfig(
        vocab_size=len(tokenizer) + 8, hidden_size=64, intermediate_size=96, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256, rope_theta=10_000.0,
        logit_scale=0.25, initializer_range=0.2, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(7)
    model = CohereForCausalLM(config)
    whole = [token for token in range(len(tokenizer)) if is_whole(tokenizer, token)]
    with torch.no_grad():
        kept = model.model.embed_tokens.weight[whole].clone()
        model.model.embed_tokens.weight.zero_()[whole] = kept
    model.save_pretrained(folder)
    return folder


def is_whole(tokenizer: Any, token: int) -> bool:
    return token not in tokenizer.added_tokens_decoder and "\ufffd" not in tokenizer.decode([token])


def random_adapter(base: Path, folder: Path, seed: int, rslora: bool) -> Path:
    """An adapter whose two matrices are both random, so that it changes what is said."""
    torch.manual_seed(seed)
    settings = LoraConfig(
        r=4, lora_alpha=12, target_modules="all-linear", use_rslora=rslora, init_lora_weights=False,
        task_type="CAUSAL_LM",
    )  # fmt: skip
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), settings).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The mini pair's own tokenizer around a tiny base, an adapter v and a rank-stabilised adapter r."""
    base = tmp_path_factory.mktemp("base")
    aya.save(aya.train(TEXTS * 3, 600), base)
    tiny_model(base)
    folder = tmp_path_factory.mktemp("adapters")
    adapters = {"v": random_adapter(base, folder / "v", 1, False), "r": random_adapter(base, folder / "r", 2, True)}
    return Pair(base, adapters, AutoTokenizer.from_pretrained(base))


@pytest.fixture(scope="module")
def server(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    out = tmp_path_factory.mktemp("gguf")
    model = convert_model(pair.base, out / "base.gguf", "f32")
    adapters = [convert_adapter(pair.adapters[name], pair.base, out / f"{name}.gguf") for name in ("v", "r")]
    with llama_server(model, adapters=adapters, exact=True) as address:
        yield address


def post(server: str, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(f"{server}{path}", json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def served_tokens(server: str, text: str) -> list[int]:
    body = {"content": text, "add_special": True, "parse_special": True}
    return list(post(server, "/tokenize", body)["tokens"])


def prompt_of(tokenizer: Any) -> Any:
    """`ASKED` as the model reads it: ids [1, length] and mask."""
    chat = [{"role": turn.role, "content": turn.content} for turn in ASKED]
    return tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True, return_tensors="pt")


def greedy(model: Any, tokenizer: Any, tokens: int, margin: float = 0.0) -> list[int]:
    """The first `tokens` greedy tokens in transformers, up to the first that won by less than `margin` (nats)."""
    prompt = prompt_of(tokenizer)
    with torch.no_grad():
        written = model.generate(
            **prompt, max_new_tokens=tokens, do_sample=False, output_scores=True, return_dict_in_generate=True
        )
    leads = [float(-step[0].topk(2).values.diff()) for step in written.scores]
    sure = next((number for number, lead in enumerate(leads) if lead < margin), tokens)
    return list(written.sequences[0, prompt["input_ids"].shape[1] :][:sure].tolist())


def ask(server: str, models_: dict[str, list[dict[str, float]]], tokens: int) -> dict[str, str]:
    """What each of `models_` (name to its adapters' scales) says, asked at once through the endpoint engine."""
    engine = EndpointEngine({
        name: EndpointModel(base_url=f"{server}/v1", model=name, dialect="llama.cpp", extra_body={"lora": lora})
        for name, lora in models_.items()
    })  # fmt: skip
    try:
        rows = play(engine, *[Request(name, ASKED, sampling=Sampling(max_new_tokens=tokens)) for name in models_])
    finally:
        engine.close()
    assert [finished(row).usage.completion_tokens for row in rows] == [tokens] * len(rows)
    return dict(zip(models_, [row.text for row in rows], strict=True))


# Tokens


@pytest.mark.parametrize("text", [*TEXTS, *HARD])
def test_the_mini_tokenizer_cuts_text_as_llama_cpp_does(pair: Pair, server: str, text: str) -> None:
    assert served_tokens(server, text) == pair.tokenizer(text)["input_ids"]


@settings(max_examples=150, deadline=None)
@given(text=st.text(LETTERS, max_size=40))
def test_any_text_is_cut_alike(pair: Pair, server: str, text: str) -> None:
    assert served_tokens(server, text) == pair.tokenizer(text)["input_ids"]


@pytest.mark.parametrize(
    ("name", "pre_tokenizer"),
    [("command-r", split_digits()), ("gpt-2", pre_tokenizers.ByteLevel(add_prefix_space=False))],
)
def test_other_byte_level_tokenizers_are_cut_alike_too(
    name: str, pre_tokenizer: pre_tokenizers.PreTokenizer, tmp_path: Path
) -> None:
    folder = tiny_model(byte_level_bpe(pre_tokenizer, tmp_path))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert pre_tokenizer_name(json.loads((folder / "tokenizer.json").read_text())["pre_tokenizer"]) == name
    with llama_server(convert_model(folder, tmp_path / "model.gguf", "f32")) as server:
        differing = [text for text in (*TEXTS, *HARD) if served_tokens(server, text) != tokenizer(text)["input_ids"]]
    assert differing == []
    assert tokenizer("")["input_ids"] == [5], "the BOS in front was not put to the test"


def test_the_chat_template_is_rendered_alike(pair: Pair, server: str) -> None:
    turns = [("system", "کوتاه بگو"), ("user", " سلام "), ("assistant", "درود\n"), ("user", "تب دارم.\n\nچه کنم؟")]
    chat = [{"role": role, "content": content} for role, content in turns]
    expected = pair.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert post(server, "/apply-template", {"messages": chat})["prompt"] == expected


# What is said


def in_transformers(pair: Pair, name: str) -> Any:
    model = AutoModelForCausalLM.from_pretrained(pair.base).eval()
    return model if name == "base" else PeftModel.from_pretrained(model, pair.adapters[name]).eval()


def test_base_and_adapters_asked_at_once_each_say_what_transformers_says(pair: Pair, server: str) -> None:
    expected = {name: pair.tokenizer.decode(greedy(in_transformers(pair, name), pair.tokenizer, 24)) for name in SCALES}
    assert len(set(expected.values())) == 3
    assert ask(server, SCALES, 24) == expected


@pytest.mark.parametrize("name", ["base", "v", "r"])
def test_log_probabilities_agree(pair: Pair, server: str, name: str) -> None:
    prompt = prompt_of(pair.tokenizer)
    with torch.no_grad():
        expected = torch.log_softmax(in_transformers(pair, name)(**prompt).logits[0, -1], -1)
    body = {"prompt": prompt["input_ids"][0].tolist(), "n_predict": 1, "n_probs": 20, "lora": SCALES[name]}
    (step,) = post(server, "/completion", {**body, "temperature": 0})["completion_probabilities"]
    served = {token["id"]: token["logprob"] for token in step["top_logprobs"]}
    assert set(served) == set(expected.topk(20).indices.tolist())
    assert max(abs(value - float(expected[token])) for token, value in served.items()) < 1e-4


@pytest.mark.parametrize(("dtype", "kind"), [("f16", torch.float16), ("bf16", torch.bfloat16)])
def test_half_precision_says_what_the_rounded_model_says(pair: Pair, tmp_path: Path, dtype: Dtype, kind: Any) -> None:
    rounded = in_transformers(pair, "base")
    with torch.no_grad():
        for weight in rounded.parameters():
            if weight.ndim > 1:
                weight.copy_(weight.to(kind))
    expected = greedy(rounded, pair.tokenizer, 8, margin=0.03)
    assert len(expected) >= 3
    half = convert_model(pair.base, tmp_path / "model.gguf", dtype)
    full = convert_model(pair.base, tmp_path / "full.gguf", "f32")
    assert half.stat().st_size < 0.62 * full.stat().st_size
    with llama_server(half, exact=True) as server:
        assert ask(server, {"base": []}, len(expected))["base"] == pair.tokenizer.decode(expected)


# Shapes a larger model comes in


def test_a_model_in_several_files_gives_the_same_bytes(pair: Pair, tmp_path: Path) -> None:
    folder = tmp_path / pair.base.name
    in_transformers(pair, "base").save_pretrained(folder, max_shard_size="100KB")
    pair.tokenizer.save_pretrained(folder)
    assert len(list(folder.glob("*.safetensors"))) > 2
    one = convert_model(pair.base, tmp_path / "one.gguf", "f16")
    several = convert_model(folder, tmp_path / "several.gguf", "f16")
    assert one.read_bytes() == several.read_bytes()


def test_of_several_chat_templates_the_default_is_taken(pair: Pair, tmp_path: Path) -> None:
    folder = changed(pair.base, tmp_path / "base", "config.json")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected = tokenizer.apply_chat_template([{"role": "user", "content": "سلام"}], tokenize=False)
    tokenizer.chat_template = {"default": tokenizer.chat_template, "tool_use": "{{ 'tools' }}"}
    tokenizer.save_pretrained(folder)
    assert isinstance(AutoTokenizer.from_pretrained(folder).chat_template, dict)
    with llama_server(convert_model(folder, tmp_path / "model.gguf", "f32")) as server:
        body = {"messages": [{"role": "user", "content": "سلام"}], "add_generation_prompt": False}
        assert post(server, "/apply-template", body)["prompt"] == expected


# What is refused


def changed(folder: Path, out: Path, file: str, **values: object) -> Path:
    """A copy of `folder` in `out` whose JSON `file` has `values`."""
    out.mkdir()
    for path in folder.iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    described = json.loads((out / file).read_text("utf-8"))
    (out / file).write_text(json.dumps({**described, **values}), "utf-8")
    return out


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"model_type": "llama"}),
        ("config.json", {"use_qk_norm": True}),
        ("config.json", {"attention_bias": True}),
        ("config.json", {"tie_word_embeddings": False}),
        ("config.json", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}}),
        ("config.json", {"vocab_size": 100}),
        ("tokenizer.json", {"normalizer": {"type": "Lowercase"}}),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Whitespace"}}),
    ],
)
def test_what_llama_cpp_would_read_differently_is_refused(
    pair: Pair, tmp_path: Path, file: str, values: dict[str, object]
) -> None:
    folder = changed(pair.base, tmp_path / "base", file, **values)
    with pytest.raises(TrainingError, match=r"base|tokenizer|llama\.cpp"):
        convert_model(folder, tmp_path / "model.gguf", "f32")
    assert not list(tmp_path.glob("model.gguf*"))


def test_a_folder_without_weights_is_refused(pair: Pair, tmp_path: Path) -> None:
    folder = changed(pair.base, tmp_path / "base", "config.json")
    (folder / "model.safetensors").unlink()
    with pytest.raises(TrainingError, match="save_pretrained"):
        convert_model(folder, tmp_path / "model.gguf", "f32")


@pytest.mark.parametrize(
    "values", [{"use_dora": True}, {"bias": "all"}, {"alpha_pattern": {"q_proj": 3}}, {"modules_to_save": ["lm_head"]}]
)
def test_an_adapter_that_is_no_plain_lora_is_refused(pair: Pair, tmp_path: Path, values: dict[str, object]) -> None:
    folder = changed(pair.adapters["v"], tmp_path / "v", "adapter_config.json", **values)
    with pytest.raises(TrainingError, match=next(iter(values))):
        convert_adapter(folder, pair.base, tmp_path / "v.gguf")


def test_an_adapter_of_another_base_is_refused(pair: Pair, tmp_path: Path) -> None:
    folder = changed(pair.adapters["v"], tmp_path / "v", "adapter_config.json")
    weights = load_file(folder / "adapter_model.safetensors")
    save_file(
        {name: tensor[:, :3].contiguous() for name, tensor in weights.items()}, folder / "adapter_model.safetensors"
    )
    with pytest.raises(TrainingError, match="wrong base"):
        convert_adapter(folder, pair.base, tmp_path / "v.gguf")
    deeper = {name.replace("layers.2", "layers.9"): tensor for name, tensor in weights.items()}
    save_file(deeper, folder / "adapter_model.safetensors")
    with pytest.raises(TrainingError, match="another base"):
        convert_adapter(folder, pair.base, tmp_path / "v.gguf")
