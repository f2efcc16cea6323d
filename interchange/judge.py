"""Python's half of the interchange: makes models and adapters for Cambium to read, and judges those
that Cambium wrote. See run."""
import json
import pathlib
import sys
import warnings

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, MistralConfig,
                          MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config,
                          Qwen3ForCausalLM)
from transformers.utils import logging

warnings.filterwarnings("ignore")
logging.set_verbosity_error()
logging.disable_progress_bar()
TOLERANCE = 1e-4
BASE = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
            num_key_value_heads=2, vocab_size=80, max_position_embeddings=128, bos_token_id=1,
            eos_token_id=2, pad_token_id=None, initializer_range=0.2, head_dim=16)
MODELS = {
    "llama-tied": lambda: LlamaForCausalLM(LlamaConfig(**BASE, tie_word_embeddings=True)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**BASE, tie_word_embeddings=False)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**BASE, tie_word_embeddings=True)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**BASE, tie_word_embeddings=False)),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**BASE, sliding_window=8)),
}
ADAPTERS = {
    "lora": dict(target_modules="all-linear"),
    "rslora": dict(target_modules=["q_proj", "down_proj"], use_rslora=True,
                   rank_pattern={"down_proj": 6}, alpha_pattern={"q_proj": 3}),
    "dora": dict(target_modules="all-linear", use_dora=True),
    "saved": dict(target_modules=["v_proj"], modules_to_save=["embed_tokens", "lm_head", "norm"]),
}
ROWS = [[(5 * b + 3 * t * t + t) % 80 for t in range(n)] for b, n in enumerate([9, 4, 30])]


def logits(model):
    with torch.no_grad():
        return [model(torch.tensor([row])).logits[0].tolist() for row in ROWS]


def write(directory, model):
    (directory / "logits.json").write_text(json.dumps({"rows": ROWS, "logits": logits(model)}))


def make(work):
    torch.manual_seed(1)
    for name, build in MODELS.items():
        build().eval().save_pretrained(work / "python" / name)
        write(work / "python" / name, AutoModelForCausalLM.from_pretrained(work / "python" / name))
        for kind, options in ADAPTERS.items():
            base = AutoModelForCausalLM.from_pretrained(work / "python" / name).eval()
            lora = get_peft_model(base, LoraConfig(
                r=4, lora_alpha=6, task_type="CAUSAL_LM", **options)).eval()
            with torch.no_grad():
                for parameter in lora.parameters():
                    if parameter.requires_grad:
                        parameter.add_(torch.randn_like(parameter) * 0.1)
            target = work / "python" / f"{name}+{kind}"
            lora.save_pretrained(target, save_embedding_layers=False)
            write(target, lora)


def judge(work):
    worst = 0.0
    found = sorted((work / "cambium").iterdir())
    for directory in found:
        if (directory / "adapter_config.json").exists():
            base = AutoModelForCausalLM.from_pretrained(
                work / "python" / directory.name.split("+")[0])
            model = PeftModel.from_pretrained(base, directory)
        else:
            model = AutoModelForCausalLM.from_pretrained(directory)
        told = json.loads((directory / "logits.json").read_text())["logits"]
        error = max(
            (torch.tensor(a) - torch.tensor(b)).abs().max().item() / torch.tensor(b).abs().max().item()
            for a, b in zip(told, logits(model.eval())))
        worst = max(worst, error)
        print(f"{directory.name:32} {error:.1e}{'' if error <= TOLERANCE else '  TOO FAR'}")
    print(f"{len(found)} written by Cambium, read by Python; largest relative difference {worst:.1e}")
    sys.exit(0 if found and worst <= TOLERANCE else 1)


{"make": make, "judge": judge}[sys.argv[1]](pathlib.Path(sys.argv[2]))
