"""Renders the chat templates of ChatTemplateTest with transformers' apply_chat_template.

    python reference_templates.py ../resources/dev/cambium/engine/text

Needs transformers. Reads templates/*.jinja; writes templates.json with what became of them, of the
short pieces of Jinja below, and of a tokenizer with named templates.
"""
import json
import pathlib
import sys

from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

OUT = pathlib.Path(sys.argv[1])


def call(name, arguments, number=None):
    told = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return told if number is None else {"id": number, **told}


def turns(conversation):
    return [dict(role=turn[0], content=turn[1], **(turn[2] if len(turn) > 2 else {}))
            for turn in conversation]


CONVERSATIONS = [
    [("user", "What is two and two?")],
    [("user", " hello there "), ("assistant", "Hi!\n")],
    [("system", "You help."), ("user", "{{ bos_token }} {% if x %}"),
     ("assistant", "<think>\nwell\n</think>\n\nFour."), ("user", "it's   {# none #}\n\n")],
    [("system", "  Du hilfst.  "), ("user", "Grüße 😀"), ("assistant", '{"a": "ü"}'),
     ("tool", '{"t": 3}'), ("tool", "42"), ("assistant", "done")],
    [("user", "a"), ("user", "b")],
    [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")],
    [("user", "Euro?"),
     ("assistant", "", {"tool_calls": [call("get_rate", {"code": "EUR", "n": 1.0, "a": ["é"]})]}),
     ("tool", "1.08", {"tool_call_id": "a1b2c3d4e", "name": "get_rate"}), ("assistant", "1.08.")],
    [("system", "S"), ("user", "both"),
     ("assistant", "Well.", {"tool_calls": [
         call("get_rate", {"n": 12345678901234567890, "code": None}, "000000001"),
         call("no_arguments", {}, "000000002")]}),
     ("tool", "x", {"tool_call_id": "000000001"}), ("tool", "y", {"tool_call_id": "000000002"}),
     ("assistant", "", {"tool_calls": [call("get_rate", {"z": {"b": 1, "a": False}})]})],
]
TOOLS = [[], [{"type": "function", "function": {
    "name": "get_rate", "description": 'Rate of a "currency" <b>é</b>',
    "parameters": {"type": "object", "properties": {
        "code": {"type": "string", "enum": ["EUR", "USD"]},
        "n": {"type": "number", "minimum": 0.5}, "e": {}}, "required": ["code"],
        "additionalProperties": False, "nothing": None, "list": [], "big": 10000000000}}}]]
PIECES = pathlib.Path(__file__).with_name("pieces.jinja").read_text().splitlines()

tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=Tokenizer(models.BPE()), bos_token="<s>", eos_token="</s>")


def told(source, messages, tools, generate, fields):
    result = dict(fields)
    try:
        result["text"] = tokenizer.apply_chat_template(
            turns(CONVERSATIONS[messages]), tools=TOOLS[tools] or None, chat_template=source, add_generation_prompt=generate,
            tokenize=False)
    except Exception as e:
        result["error"] = str(e)
        result["kind"] = type(e).__name__
    return result


def main():
    cases = []
    for file in sorted((OUT / "templates").glob("*.jinja")):
        for messages in range(len(CONVERSATIONS)):
            for tools in range(len(TOOLS)):
                for generate in [False, True]:
                    cases.append(told(file.read_text(), messages, tools, generate, dict(
                        template=file.stem, messages=messages, tools=tools, generate=generate)))
    pieces = [told(piece, 2, 1, True, dict(piece=piece)) for piece in PIECES]
    tokenizer.chat_template = {"default": "D{{ messages|length }}", "tool_use": "T{{ tools|length }}"}
    named = [told(None, 0, tools, False, dict(tools=tools)) for tools in range(len(TOOLS))]
    (OUT / "templates.json").write_text(json.dumps({
        "conversations": [turns(one) for one in CONVERSATIONS],
        "tools": TOOLS, "cases": cases, "pieces": pieces, "named": tokenizer.chat_template,
        "ofNamed": named}, ensure_ascii=False, indent=0) + "\n")


main()
