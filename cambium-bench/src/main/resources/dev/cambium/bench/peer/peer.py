"""The Python side: torch, transformers and PEFT, each work in the way their own guides recommend.

Does a task once for every line on its input and answers with a line that begins with "@@".
Usage: python peer.py TASK.json
"""
import json
import os
import re
import sys
import time
import warnings

TASK = json.load(open(sys.argv[1]))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
warnings.filterwarnings("ignore")

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(TASK["threads"])
WORK = TASK["work"]
VARIANT = TASK["variant"]


def model(dtype=torch.float32):
    return AutoModelForCausalLM.from_pretrained(
        TASK["model"], dtype=dtype, attn_implementation="sdpa"
    )


def padded(rows, value, left):
    longest = max(len(row) for row in rows)
    fill = [[value] * (longest - len(row)) for row in rows]
    return torch.tensor(
        [pad + row if left else row + pad for pad, row in zip(fill, rows)]
    )


def training():
    bf16 = WORK == "LORA_BF16"
    base = model(torch.bfloat16 if VARIANT == "bf16-weights" else torch.float32)
    rows = TASK["rows"]
    ids = padded(rows, 0, False)
    mask = padded([[1] * len(row) for row in rows], 0, False)
    labels = padded(
        [
            [-100] * begin + row[begin:]
            for row, begin in zip(rows, TASK["supervisedFrom"])
        ],
        -100,
        False,
    )
    start_state = {k: v.clone() for k, v in base.state_dict().items()} if WORK == "FULL_TRAINING" else None

    def run():
        torch.manual_seed(1)
        if WORK == "FULL_TRAINING":
            base.load_state_dict(start_state)
            net = base
        else:
            from peft import LoraConfig, get_peft_model

            net = get_peft_model(
                base,
                LoraConfig(
                    r=8, lora_alpha=16, lora_dropout=0.0, target_modules="all-linear"
                ),
            )
        net.train()
        net.config.use_cache = False
        weights = [p for p in net.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            weights, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.0, fused=True
        )
        first = None
        # A padding mask makes attention slower; rows of one length need none.
        use_mask = None if bool(mask.all()) else mask
        start = time.perf_counter()
        for _ in range(TASK["steps"]):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16 and VARIANT == "autocast"):
                loss = net(input_ids=ids, attention_mask=use_mask, labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if first is None:
                first = loss.item()
        seconds = time.perf_counter() - start
        if WORK != "FULL_TRAINING":
            net.unload()
        return seconds, TASK["steps"] * int(mask.sum()), ["%.5f" % first]

    return run


def generation():
    net = model().eval()
    ids = torch.tensor(TASK["rows"])
    new = TASK["newTokens"]

    @torch.inference_mode()
    def run():
        start = time.perf_counter()
        out = net.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=new,
            min_new_tokens=None,
            eos_token_id=None,
            pad_token_id=0,
            use_cache=True,
        )
        seconds = time.perf_counter() - start
        answers = out[:, ids.shape[1] :].tolist()
        return seconds, sum(map(len, answers)), [" ".join(map(str, a)) for a in answers]

    return run


def choices():
    net = model().eval()
    at_once = 8 if VARIANT == "8-items-at-once" else 1

    @torch.inference_mode()
    def run():
        best = []
        start = time.perf_counter()
        for begin in range(0, len(TASK["rows"]), at_once):
            rows, tails, owners = [], [], []
            for item in range(begin, min(begin + at_once, len(TASK["rows"]))):
                for tail in TASK["continuations"][item]:
                    rows.append(TASK["rows"][item] + tail)
                    tails.append(tail)
                    owners.append(item)
            # Padded on the left, so that all answers end together and the head is computed
            # for the longest answer's positions only.
            keep = max(map(len, tails)) + 1
            mask = padded([[1] * len(row) for row in rows], 0, True)
            positions = (mask.cumsum(1) - 1).clamp(min=0)
            logits = net(
                input_ids=padded(rows, 0, True),
                attention_mask=mask,
                position_ids=positions,
                logits_to_keep=keep,
                use_cache=False,
            ).logits
            logs = torch.log_softmax(logits.float(), -1)
            scores = {}
            for i, tail in enumerate(tails):
                places = torch.arange(keep - 1 - len(tail), keep - 1)
                score = logs[i, places, torch.tensor(tail)].sum().item()
                scores.setdefault(owners[i], []).append(score)
            for item in scores:
                best.append(TASK["choices"][scores[item].index(max(scores[item]))])
        return time.perf_counter() - start, len(best), best

    return run


def evaluation():
    net = model().eval()
    tokenizer = AutoTokenizer.from_pretrained(TASK["model"])
    rows = TASK["rows"]
    size = int(VARIANT.split("-")[-1])
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))

    @torch.inference_mode()
    def run():
        answers = [""] * len(rows)
        start = time.perf_counter()
        for begin in range(0, len(order), size):
            part = order[begin : begin + size]
            ids = padded([rows[i] for i in part], 0, True)
            mask = padded([[1] * len(rows[i]) for i in part], 0, True)
            out = net.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=False,
                max_new_tokens=TASK["newTokens"],
                eos_token_id=TASK["stops"],
                pad_token_id=TASK["stops"][0],
                use_cache=True,
            )
            texts = tokenizer.batch_decode(out[:, ids.shape[1] :], skip_special_tokens=True)
            for i, text in zip(part, texts):
                answers[i] = text.strip()
        return time.perf_counter() - start, len(rows), answers

    return run


def load():
    @torch.inference_mode()
    def run():
        start = time.perf_counter()
        net = model().eval()
        tokenizer = AutoTokenizer.from_pretrained(TASK["model"])
        ids = tokenizer.apply_chat_template(
            [{"role": "user", "content": TASK["questions"][0]}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        out = net.generate(**ids, do_sample=False, max_new_tokens=1)
        text = tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
        return time.perf_counter() - start, 1, [text]

    return run


def peak_bytes():
    try:
        with open("/proc/self/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) * 1024
    except OSError:
        return 0


JOBS = {
    "FULL_TRAINING": training,
    "LORA_FP32": training,
    "LORA_BF16": training,
    "DECODE_1": generation,
    "DECODE_16": generation,
    "CHOICES": choices,
    "EVALUATION": evaluation,
    "LOAD": load,
}

job = JOBS[WORK]()
print("@@ ready", flush=True)
for _ in sys.stdin:
    processor = time.process_time()
    seconds, units, answer = job()
    processor = time.process_time() - processor
    reply = {
        "seconds": seconds,
        "processorSeconds": processor,
        "units": units,
        "answer": answer,
        "peakBytes": peak_bytes(),
    }
    print("@@ " + json.dumps(reply), flush=True)
