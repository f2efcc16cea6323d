"""Makes the reference values of ReferenceLogitsTest and LoraAdapterTest.

    python reference_logits.py ../resources/dev/cambium/engine/decoder

Needs torch, transformers, peft, safetensors. Weights are not stored: both sides fill them with the
formula below, so that only token ids and logits are.
"""
import json
import pathlib
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from formula import fill, rows

OUT = pathlib.Path(sys.argv[1])
BASE = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, vocab_size=40, max_position_embeddings=64, rms_norm_eps=1e-5,
            bos_token_id=1, eos_token_id=2, pad_token_id=None)
CASES = {
    "gqa-tied": dict(tie_word_embeddings=True),
    "untied": dict(tie_word_embeddings=False, num_key_value_heads=4, rope_theta=5000.0),
    "bias": dict(tie_word_embeddings=True, attention_bias=True, head_dim=12),
    "linear": dict(tie_word_embeddings=True, rope_scaling={"rope_type": "linear", "factor": 4.0}),
    "llama3": dict(tie_word_embeddings=False, rope_theta=500.0, rope_scaling={
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16}),
    "qwen2": dict(tie_word_embeddings=True, num_key_value_heads=1),
}
LENGTHS = [11, 5, 23]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    result = {"rows": rows(LENGTHS), "cases": {}}
    for case, changes in CASES.items():
        fields = {**BASE, **changes}
        if case == "qwen2":
            model = Qwen2ForCausalLM(Qwen2Config(**fields))
        else:
            model = LlamaForCausalLM(LlamaConfig(**fields))
        model.eval()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                fill(name, parameter)
            logits = [model(torch.tensor([row])).logits[0] for row in rows(LENGTHS)]
        config = json.loads(model.config.to_json_string(use_diff=False))
        keep = set(fields) | {"model_type", "hidden_act", "rope_parameters", "attention_bias",
                              "mlp_bias", "head_dim", "num_key_value_heads",
                              "tie_word_embeddings", "use_sliding_window", "sliding_window"}
        config = {k: v for k, v in config.items() if k in keep}
        result["cases"][case] = {
            "config": config,
            # the last position and one in the middle of every row
            "logits": [[[float(f"{x:.7g}") for x in row[p]] for p in (len(row) // 2, len(row) - 1)]
                       for row in logits],
        }
    model = LlamaForCausalLM(LlamaConfig(**{**BASE, **CASES["bias"]})).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            fill(name, parameter)
    lora = get_peft_model(model, LoraConfig(
        r=3, lora_alpha=5, task_type="CAUSAL_LM",
        target_modules=["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"])).eval()
    with torch.no_grad():
        for name, parameter in lora.named_parameters():
            if "lora_" in name:
                fill(name, parameter)
        logits = [lora(torch.tensor([row])).logits[0] for row in rows(LENGTHS)]
    lora.save_pretrained(OUT / "lora")
    (OUT / "lora" / "README.md").unlink(missing_ok=True)
    result["lora"] = [[[float(f"{x:.7g}") for x in row[p]] for p in (len(row) // 2, len(row) - 1)]
                      for row in logits]
    (OUT / "reference.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


main()
