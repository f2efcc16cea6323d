"""Makes the reference values of FamilyLogitsTest with transformers (5.24, eager attention, fp32).

    python family_logits.py ../resources/dev/cambium/engine/decoder/families.json

Needs torch and transformers. Weights are not stored: both sides fill them by the formula of
reference_logits.py; only configurations, token ids and logits are. Each case is computed for whole
rows, and again token by token with a cache after a prompt, on a fresh model each time: dynamic
scaling remembers the longest row that it saw.
"""
import copy
import json
import pathlib
import sys

import torch
from transformers import (DynamicCache, LlamaConfig, LlamaForCausalLM, MistralConfig,
                          MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config,
                          Qwen3ForCausalLM)

from formula import fill, rows

FAMILIES = {
    "llama": (LlamaConfig, LlamaForCausalLM),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM),
    "mistral": (MistralConfig, MistralForCausalLM),
}
BASE = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
            num_key_value_heads=2, vocab_size=40, max_position_embeddings=64, rms_norm_eps=1e-5,
            rope_theta=1000.0, bos_token_id=1, eos_token_id=2, pad_token_id=None)
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16}
CASES = {
    "llama": ("llama", dict(tie_word_embeddings=True)),
    "llama-bf16": ("llama", dict(head_dim=16)),
    "llama-fp16": ("llama", dict(tie_word_embeddings=True, head_dim=16)),
    "llama-linear": ("llama", dict(head_dim=16, rope_scaling={"rope_type": "linear",
                                                             "factor": 4.0})),
    "llama-llama3": ("llama", dict(head_dim=16, rope_scaling=LLAMA3)),
    "llama-dynamic": ("llama", dict(head_dim=16, max_position_embeddings=16, rope_scaling={
        "rope_type": "dynamic", "factor": 3.0})),
    "llama-yarn": ("llama", dict(head_dim=16, rope_scaling=YARN)),
    "llama-yarn-mscale": ("llama", dict(head_dim=16, rope_scaling={
        **YARN, "mscale": 0.7, "mscale_all_dim": 1.5, "beta_fast": 8, "beta_slow": 2})),
    "qwen2": ("qwen2", dict(tie_word_embeddings=True)),
    "qwen2-window": ("qwen2", dict(use_sliding_window=True, sliding_window=5,
                                   max_window_layers=1)),
    "qwen2-layer-types": ("qwen2", dict(
        use_sliding_window=True, sliding_window=7, max_window_layers=3, rope_scaling=YARN,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"])),
    "qwen3": ("qwen3", dict(head_dim=20, tie_word_embeddings=True)),
    "qwen3-bias-window-yarn": ("qwen3", dict(
        head_dim=16, attention_bias=True, use_sliding_window=True, sliding_window=6,
        max_window_layers=2,
        rope_scaling={**YARN, "attention_factor": 1.3, "truncate": False})),
    "mistral": ("mistral", dict(sliding_window=None, head_dim=12)),
    "mistral-window": ("mistral", dict(sliding_window=6)),
    "mistral-window-dynamic": ("mistral", dict(
        sliding_window=9, max_position_embeddings=16, head_dim=16,
        rope_scaling={"rope_type": "dynamic", "factor": 2.0})),
}
ROUNDED = {"llama-bf16": torch.bfloat16, "llama-fp16": torch.float16}
PROMPT = [5, 12]
LENGTHS = [9, 45]


def model(case):
    family, changes = CASES[case]
    config_class, model_class = FAMILIES[family]
    built = model_class(config_class(**copy.deepcopy({**BASE, **changes}),
                                     attn_implementation="eager")).eval()
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            fill(name, parameter, ROUNDED.get(case))
    return built


def line(logits):
    return [float(f"{x:.7g}") for x in logits]


def stepped(case, row, prompt):
    built = model(case)
    cache = DynamicCache(config=built.config)
    built(torch.tensor([row[:prompt]]), past_key_values=cache, use_cache=True)
    for token in row[prompt:]:
        logits = built(torch.tensor([[token]]), past_key_values=cache, use_cache=True).logits
    return logits[0, -1]


def config(case):
    """The configuration as transformers 5 writes it, and as transformers 4 did."""
    family, changes = CASES[case]
    written = json.loads(model(case).config.to_json_string(use_diff=False))
    keep = set(BASE) | set(changes) | {
        "model_type", "hidden_act", "rope_parameters", "attention_bias", "head_dim",
        "tie_word_embeddings", "use_sliding_window", "sliding_window", "layer_types"}
    current = {k: v for k, v in written.items() if k in keep and k != "rope_scaling"}
    current["architectures"] = [FAMILIES[family][1].__name__]
    old = {k: v for k, v in current.items() if k not in ("rope_parameters", "layer_types")}
    old["rope_theta"] = BASE["rope_theta"]
    if "layer_types" in changes:
        old["layer_types"] = changes["layer_types"]
    scaling = dict(changes.get("rope_scaling", {}))
    if scaling:
        scaling["type"] = scaling.pop("rope_type")
        old["rope_scaling"] = scaling
    return current, old


def main():
    result = {"rows": rows(LENGTHS), "prompts": PROMPT, "cases": {}}
    for case in CASES:
        current, old = config(case)
        with torch.no_grad():
            whole = [model(case)(torch.tensor([row])).logits[0] for row in rows(LENGTHS)]
            steps = [stepped(case, row, prompt) for row, prompt in zip(rows(LENGTHS), PROMPT)]
        result["cases"][case] = {
            "config": current,
            "old": old,
            "whole": [[line(logits[len(row) // 2]), line(logits[-1])]
                      for logits, row in zip(whole, rows(LENGTHS))],
            "stepped": [line(logits) for logits in steps],
        }
        print(case, [float((w[-1] - s).abs().max()) for w, s in zip(whole, steps)])
    pathlib.Path(sys.argv[1]).write_text(json.dumps(result, separators=(",", ":")) + "\n")


main()
