"""Makes the reference values of PeftAdaptersTest: adapters that PEFT saved, and their logits.

    python reference_adapters.py ../resources/dev/cambium/engine/decoder/adapters

Needs torch, transformers, peft, safetensors. The bases are those of reference_logits.py, filled
with its formula.
"""
import json
import pathlib
import shutil
import sys
import warnings

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from formula import fill, hashed, rows

warnings.filterwarnings("ignore")
OUT = pathlib.Path(sys.argv[1])
BASE = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, vocab_size=40, max_position_embeddings=64, rms_norm_eps=1e-5,
            bos_token_id=1, eos_token_id=2, pad_token_id=None)
BASES = {
    "gqa-tied": dict(tie_word_embeddings=True),
    "untied": dict(tie_word_embeddings=False, num_key_value_heads=4, rope_theta=5000.0),
    "bias": dict(tie_word_embeddings=True, attention_bias=True, head_dim=12),
    "qwen2": dict(tie_word_embeddings=True, num_key_value_heads=1),
}
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = {
    "patterns": ("gqa-tied", dict(target_modules=ALL, rank_pattern={
        "layers.0.self_attn.q_proj": 5, r"model\.layers\.1\.mlp\..*": 2, "o_proj": 1},
        alpha_pattern={"q_proj": 7, r"[kv]_proj": 0.5})),
    "rslora": ("untied", dict(target_modules="all-linear", use_rslora=True, rank_pattern={
        "down_proj": 6})),
    "dora": ("bias", dict(target_modules=ALL, use_dora=True)),
    "dora-some": ("qwen2", dict(target_modules=["k_proj", "o_proj", "up_proj"], use_dora=True,
                                use_rslora=True, rank_pattern={"up_proj": 4})),
    "saved-embedding": ("gqa-tied", dict(target_modules=["q_proj"],
                                         modules_to_save=["embed_tokens"])),
    "saved-head": ("gqa-tied", dict(target_modules=["q_proj"], modules_to_save=["lm_head"])),
    "saved-all": ("untied", dict(target_modules=["v_proj"], use_dora=True,
                                 modules_to_save=["embed_tokens", "lm_head", "norm"])),
    "resized-tied": ("gqa-tied", dict(target_modules=["q_proj", "down_proj"])),
    "resized-untied": ("untied", dict(target_modules=["q_proj", "down_proj"])),
    "layers": ("gqa-tied", dict(target_modules=["q_proj", "up_proj"], layers_to_transform=[1],
                                layers_pattern="layers")),
    "regex": ("gqa-tied", dict(target_modules=r".*\.layers\.0\.self_attn\.(q|v)_proj")),
    "paths": ("gqa-tied", dict(target_modules=[
        "model.layers.0.self_attn.k_proj", "layers.1.mlp.gate_proj", "v_proj"],
        exclude_modules=["layers.1.self_attn.v_proj"])),
}
LENGTHS = [11, 5, 23]


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    result = {}
    for case, (base, options) in CASES.items():
        fields = {**BASE, **BASES[base]}
        model = (Qwen2ForCausalLM(Qwen2Config(**fields)) if base == "qwen2"
                 else LlamaForCausalLM(LlamaConfig(**fields))).eval()
        resized = case.startswith("resized")
        tokens = rows(LENGTHS)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                fill(name, parameter)
            if resized:
                model.resize_token_embeddings(44, mean_resizing=False)
                for name, parameter in model.named_parameters():
                    if parameter.shape[0] == 44:
                        fill("resized " + name, parameter[40:])
                tokens[1] = [41, 3, 43, 40, 2]
        lora = get_peft_model(model, LoraConfig(
            **{**dict(r=3, lora_alpha=5, task_type="CAUSAL_LM"), **options})).eval()
        with torch.no_grad():
            for name, parameter in lora.named_parameters():
                if "magnitude" in name:
                    change = hashed(name, parameter.numel()).astype(np.float32) * 0.3
                    parameter.mul_(1 + torch.from_numpy(change).reshape(parameter.shape))
                elif "lora_" in name or "modules_to_save" in name:
                    fill(name, parameter)
            logits = [lora(torch.tensor([row])).logits[0] for row in tokens]
        row, targets = torch.tensor([[3, 17, 5, 9, 22]]), torch.tensor([17, 5, 9, 22, 1])
        torch.nn.functional.cross_entropy(lora(row).logits[0], targets, reduction="sum").backward()
        gradients = {}
        for name, parameter in lora.named_parameters():
            if parameter.grad is not None and "embed_tokens" not in name and "head" not in name:
                # one of a sort: A, B, magnitude, norm; of the last layer that has it
                key = name.replace(".default", "").replace(".modules_to_save", "")
                if "magnitude" in key:
                    key = key.removesuffix(".weight")
                sort = key.rsplit(".", 2)[-2] + key.rsplit(".", 1)[-1]
                gradients[sort] = (key, parameter.grad.flatten()[:64])
        gradients = {key: [float(f"{x:.7g}") for x in grad] for key, grad in gradients.values()}
        lora.save_pretrained(OUT / case, save_embedding_layers=resized)
        (OUT / case / "README.md").unlink(missing_ok=True)
        result[case] = {
            "base": base,
            "rows": tokens,
            "gradients": gradients,
            "logits": [[[float(f"{x:.7g}") for x in row[p]] for p in (len(row) // 2, len(row) - 1)]
                       for row in logits]}
    (OUT / "logits.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


main()
