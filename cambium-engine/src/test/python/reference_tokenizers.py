"""Makes two small tokenizers and the ids of a torture set for TokenizerReferenceTest.

    python reference_tokenizers.py ../resources/dev/cambium/engine/text/tokenizers [SMOLLM2_DIR]

Needs tokenizers. What people write is encoded with special tokens split, as text.
"""
import json
import pathlib
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

OUT = pathlib.Path(sys.argv[1])
SPECIAL = ["<s>", "</s>", "<|im_end|>"]
CORPUS = ["the quick brown fox jumps over the lazy dog " * 3, "Größe naïve façade 12345 67 89",
          "def f(x):\n    return x + 1\n\n", "日本語のテキスト 東京 中文 한국어", "مرحبا بالعالم שלום"]
TORTURE = ["0 00 007 3.14159 1,024 12345678901234567890", "😀 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 é e\u0301",
           "the Größe 東京 мир مرحبا שלום mixed 한국어ไทย", "\x00\x01\x07\x1b[0m\x7f\u200b\u202e\ufeff",
           "a\r\nb\rc\n\n\n\td\t\t ", "  leading and   inner  spaces   ", "x" * 10000,
           "<|im_end|> is text, </s> too, <s>", "<|im_start|>user\nhi<|im_end|>", "\U0010ffff\ud7ff\ue000",
           "don't WON'T it's 'tis", "", " ", "\n"]


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return tokenizer


def metaspace():
    seed = Tokenizer(models.BPE())
    seed.pre_tokenizer = pre_tokenizers.Metaspace()
    seed.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=160, show_progress=False))
    model = json.loads(seed.to_str())["model"]
    pieces = ["<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary = {piece: i for i, piece in enumerate(pieces + sorted(model["vocab"]))}
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in model["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>",
                                     byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
        decoders.Strip(" ", 1, 0)])
    return tokenizer


def told(tokenizer):
    tokenizer.encode_special_tokens = True
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in TORTURE]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    result = {"texts": TORTURE, "ids": {}}
    for name, tokenizer in {"byte-level": byte_level(), "metaspace": metaspace()}.items():
        tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
        (OUT / name).mkdir(exist_ok=True)
        (OUT / name / "tokenizer.json").write_text(
            json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
        result["ids"][name] = told(tokenizer)
    if len(sys.argv) > 2:
        result["ids"]["smollm2"] = told(Tokenizer.from_file(sys.argv[2] + "/tokenizer.json"))
    (OUT / "torture.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


main()
