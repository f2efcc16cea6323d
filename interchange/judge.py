"""Python's half of the interchange: makes models, tokenizers and adapters for Cambium to read, and
judges those that Cambium wrote, as GGUF too. See run."""
import json
import os
import pathlib
import sys
import warnings

os.environ["TQDM_DISABLE"] = "1"

import torch
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models as bpe, normalizers,
                        pre_tokenizers, processors, trainers)
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (AutoConfig, AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM,
                          MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast, Qwen2Config,
                          Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)
from transformers.utils import logging

warnings.filterwarnings("ignore")
logging.set_verbosity_error()
logging.disable_progress_bar()
TOLERANCE = 1e-4
BASE = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
            num_key_value_heads=2, vocab_size=448, max_position_embeddings=128, bos_token_id=1,
            eos_token_id=2, pad_token_id=None, initializer_range=0.2, head_dim=16)
MODELS = {
    "llama-tied": lambda: LlamaForCausalLM(LlamaConfig(**BASE, tie_word_embeddings=True)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**BASE, tie_word_embeddings=False)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**BASE, tie_word_embeddings=True)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**BASE, tie_word_embeddings=False)),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**BASE, sliding_window=8)),
}
MODELS["mistral-full"] = lambda: MistralForCausalLM(MistralConfig(**BASE, sliding_window=None))
MODELS["llama-long"] = lambda: LlamaForCausalLM(LlamaConfig(**BASE, rope_parameters={
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 16}))
MODELS["qwen2-yarn"] = lambda: Qwen2ForCausalLM(Qwen2Config(**BASE, rope_parameters={
    "rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0,
    "original_max_position_embeddings": 32}))
ADAPTERS = {
    "lora": dict(target_modules="all-linear"),
    "rslora": dict(target_modules=["q_proj", "down_proj"], use_rslora=True,
                   rank_pattern={"down_proj": 6}, alpha_pattern={"q_proj": 3}),
    "dora": dict(target_modules="all-linear", use_dora=True),
    "saved": dict(target_modules=["v_proj"], modules_to_save=["embed_tokens", "lm_head", "norm"]),
}
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
          r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False)


def split(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


# How text is cut, whether merges are ignored for whole words, the template, BOS before a text.
CUTTINGS = {
    "llama3": (split(LLAMA3), True, "llama3", True),
    "qwen2": (split(LLAMA3.replace("{1,3}", "")), False, "qwen", False),
    "digits": (pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), BYTES]), False,
               "chatml", False),
    "gpt2": (BYTES, False, "mistral", True),
    "pieces": (None, False, "mistral", True),
}
OF_MODEL = {"llama": "llama3", "llama-tied": "digits", "llama-long": "llama3", "qwen2": "qwen2",
            "qwen2-yarn": "qwen2", "qwen3": "qwen2", "mistral": "gpt2", "mistral-full": "pieces"}
SPECIAL = ["<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|begin|>", "<|eot_id|>"]
HERE = pathlib.Path(__file__).parent
TEXT = HERE.parent / "cambium-engine/src/test/resources/dev/cambium/engine/text"
TORTURE = json.loads((TEXT / "tokenizers/torture.json").read_text())["texts"]
TEMPLATES = json.loads((TEXT / "templates.json").read_text())
ROWS = [[(5 * b + 3 * t * t + t) % 80 for t in range(n)] for b, n in enumerate([9, 4, 30])]


def logits(model):
    with torch.no_grad():
        return [model(torch.tensor([row])).logits[0].tolist() for row in ROWS]


def write(directory, model):
    (directory / "logits.json").write_text(json.dumps({"rows": ROWS, "logits": logits(model)}))


def pieces(corpus):
    """As SentencePiece's models come out of transformers: tokens by score, and every pair of tokens
    that makes another is a merge."""
    seed = Tokenizer(bpe.BPE())
    seed.pre_tokenizer = pre_tokenizers.Metaspace()
    seed.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=150, limit_alphabet=60, show_progress=False))
    learnt = [t for t, _ in sorted(seed.get_vocab().items(), key=lambda item: item[1])]
    names = [SPECIAL[0], SPECIAL[1], SPECIAL[2], "<unk>"] + [f"<0x{b:02X}>" for b in range(256)]
    vocabulary = {name: i for i, name in enumerate(names + learnt)}
    merges = [(t[:cut], t[cut:]) for t in learnt for cut in range(1, len(t))
              if t[:cut] in learnt and t[cut:] in learnt]
    made = Tokenizer(bpe.BPE(
        vocab=vocabulary, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.normalizer = normalizers.Sequence([
        normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
        decoders.Strip(" ", 1, 0)])
    return made


def tokenizer(kind):
    cutting, ignore, template, begins = CUTTINGS[kind]
    corpus = [text for text in TORTURE if len(text) < 1000] + [
        "the quick brown fox jumps over the lazy dog, what is the capital of the sea?"] * 3
    if kind == "pieces":
        made = pieces(corpus)
    else:
        made = Tokenizer(bpe.BPE(ignore_merges=ignore))
        made.pre_tokenizer = cutting
        made.normalizer = normalizers.NFC() if kind == "qwen2" else None
        made.decoder = decoders.ByteLevel()
        made.train_from_iterator(corpus, trainers.BpeTrainer(
            vocab_size=420, special_tokens=SPECIAL, show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    made.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    if begins:
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    else:
        made.post_processor = processors.ByteLevel(trim_offsets=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        clean_up_tokenization_spaces=False,
        chat_template=(TEXT / "templates" / f"{template}.jinja").read_text())


def told_text(made):
    """What people write stays text: special tokens' names in it are split."""
    texts = [{"text": text, "ids": made(text, split_special_tokens=True)["input_ids"]}
             for text in TORTURE]
    conversations = []
    for messages in TEMPLATES["conversations"]:
        if messages[-1]["role"] == "assistant" or any("{" in m["content"] for m in messages):
            continue
        for tools in TEMPLATES["tools"]:
            one = {"messages": messages, "tools": tools}
            try:
                one["text"] = made.apply_chat_template(
                    messages, tools=tools or None, add_generation_prompt=True, tokenize=False)
                one["ids"] = made(one["text"], add_special_tokens=False)["input_ids"]
            except Exception as e:
                one["error"] = str(e)
            conversations.append(one)
    return {"texts": texts, "conversations": conversations}


def make(work):
    torch.manual_seed(1)
    (work / "gguf").mkdir(parents=True)
    for name, build in MODELS.items():
        build().eval().save_pretrained(work / "python" / name)
        made = tokenizer(OF_MODEL[name])
        made.save_pretrained(work / "python" / name)
        made = AutoTokenizer.from_pretrained(work / "python" / name)
        (work / "python" / name / "text.json").write_text(json.dumps(told_text(made)))
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
    texts = 0
    found = sorted((work / "cambium").iterdir())
    for directory in found:
        name = directory.name.split("+")[0]
        if (directory / "adapter_config.json").exists():
            base = AutoModelForCausalLM.from_pretrained(work / "python" / name)
            model = PeftModel.from_pretrained(base, directory)
        else:
            model = AutoModelForCausalLM.from_pretrained(directory)
            again = told_text(AutoTokenizer.from_pretrained(directory))
            first = json.loads((work / "python" / name / "text.json").read_text())
            if json.loads(json.dumps(again)) != first:
                sys.exit(f"{directory.name}: another tokenizer or template than went in")
            texts += len(first["texts"]) + len(first["conversations"])
        told = json.loads((directory / "logits.json").read_text())["logits"]
        error = max(
            (torch.tensor(a) - torch.tensor(b)).abs().max().item() / torch.tensor(b).abs().max().item()
            for a, b in zip(told, logits(model.eval())))
        worst = max(worst, error)
        print(f"{directory.name:32} {error:.1e}{'' if error <= TOLERANCE else '  TOO FAR'}")
    print(f"{len(found)} written by Cambium, read by Python; largest relative difference {worst:.1e}; "
          f"{texts} texts and conversations the same")
    good = bool(found) and worst <= TOLERANCE
    for file in sorted((work / "gguf").glob("*.gguf")):
        good &= judge_gguf(file)
    sys.exit(0 if good else 1)


# Largest difference of a logit that is let pass, as a share of the largest logit. transformers takes
# the weights back to 32 bits, so only their rounding counts; llama.cpp rounds what they are
# multiplied with, too. Random models of width 64 feel both most (0.19 in 8 bits; SmolLM2 0.05).
GGUF_TOLERANCE = {("transformers", "f16"): 0.01, ("transformers", "q8_0"): 0.3,
                  ("llama.cpp", "f16"): 0.02, ("llama.cpp", "q8_0"): 0.3}


def judge_gguf(file):
    name, kind = file.stem.rsplit("-", 1)
    told = json.loads((file.parent / f"{name}.json").read_text())
    judges = [("transformers", of_transformers), ("llama.cpp", of_llama_cpp)]
    good = True
    for judge_name, answers in judges:
        told_by = answers(file, told)
        if told_by is None:
            continue
        worst = share = 0.0
        equal = tokens = whole = 0
        for prompt, (lines, ids) in zip(told["prompts"], told_by["prompts"]):
            expected = torch.tensor(prompt["logits"])
            difference = (lines[0] - expected).abs().max().item()
            worst = max(worst, difference)
            share = max(share, difference / expected.abs().max().item())
            same = [int(a) == b for a, b in zip(lines.argmax(-1).tolist(), prompt["answer"])]
            equal += sum(same)
            tokens += len(same)
            whole += all(same)
        cut = [t["text"] for t, ids in zip(told["texts"], told_by["texts"]) if t["ids"] != ids]
        texts = len(told_by["texts"])
        fine = share <= GGUF_TOLERANCE[judge_name, kind] and not cut
        good &= fine
        print(f"{file.name:26} {judge_name:12} largest difference {worst:.4f} ({share:.1e} of the largest "
              f"logit); {equal} of {tokens} greedy tokens and {whole} of {len(told['prompts'])} answers "
              f"equal{f'; {texts - len(cut)} of {texts} texts cut alike' if texts else ''}"
              f"{'' if fine else '  TOO FAR'}{' ' + repr(cut[:2]) if cut else ''}")
    return good


def positions(prompt):
    """The answer is given, so that each token is chosen after the same beginning."""
    return prompt["ids"] + prompt["answer"][:-1], len(prompt["ids"]) - 1


def of_transformers(file, told):
    """The weights only, back in 32 bits. Of the metadata transformers passes over a part (scaled
    rotary frequencies, the width of Qwen 3's heads), so the model's own configuration is given; and
    it knows Mistral without a window as Llama only."""
    config = AutoConfig.from_pretrained(told["model"])
    if config.model_type == "mistral":
        config = LlamaConfig.from_dict({**config.to_dict(), "model_type": "llama"})
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, config=config, dtype=torch.float32).eval()
    prompts = []
    for prompt in told["prompts"]:
        ids, start = positions(prompt)
        with torch.no_grad():
            prompts.append((model(torch.tensor([ids])).logits[0][start:].float(), ids))
    return {"prompts": prompts, "texts": []}


def of_llama_cpp(file, told):
    try:
        import llama_cpp
    except ImportError:
        return None
    model = llama_cpp.Llama(str(file), n_ctx=512, logits_all=True, verbose=False, type_k=0, type_v=0,
                            flash_attn=False)
    prompts = []
    for prompt in told["prompts"]:
        ids, start = positions(prompt)
        model.reset()
        model.eval(ids)
        prompts.append((torch.tensor(model.scores[start:len(ids)].copy()), ids))
    begins = model.metadata.get("tokenizer.ggml.add_bos_token") == "true"
    texts = [model.tokenize(text["text"].encode(), add_bos=begins, special=False)
             for text in told["texts"]]
    return {"prompts": prompts, "texts": texts}


{"make": make, "judge": judge}[sys.argv[1]](pathlib.Path(sys.argv[2]))
