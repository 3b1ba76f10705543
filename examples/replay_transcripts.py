"""Log chat transcripts in OpenAI's format, message by message, as the agent that held them would have logged.

Run it with ``python replay_transcripts.py transcripts.jsonl.gz``. Each transcript becomes one run of audit events; what
is JSON inside strings, as tool arguments and results are, is redacted inside.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import logging.config
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import agentlogsafe

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("replay")


def main() -> None:
    """Read the command line, replay the file, and say what became of it."""
    parser = argparse.ArgumentParser(
        description="Log chat transcripts in OpenAI's format as redacted audit events, one run per transcript.",
        epilog="A transcript is a JSON object with `messages`, and optionally `id`, `model` and `reward`.",
    )
    parser.add_argument("file", type=Path, help="one transcript a line: .jsonl or .jsonl.gz")
    parser.add_argument("--output", type=Path, default=Path("audit.jsonl"), help="written anew (default: %(default)s)")
    parser.add_argument("--seal", action="store_true", help="seal the events, for `agentlogsafe check`")
    args = parser.parse_args()
    if not args.file.is_file():
        parser.error(f"{args.file}: no such file")
    if not args.output.parent.is_dir() or args.output.is_dir() or args.output.resolve() == args.file.resolve():
        parser.error(f"{args.output}: cannot be written; expected a file other than the input, in an existing folder")

    configure(args.output, seal="chain" if args.seal else "off")
    runs = messages = 0
    try:
        for transcript in read(args.file):
            replay(transcript)
            runs, messages = runs + 1, messages + len(transcript["messages"])
            if sys.stderr.isatty():
                print(f"\r{runs} runs, {messages} messages", end="", file=sys.stderr, flush=True)
    except (ValueError, OSError, EOFError) as error:  # the last two: no gzip file, or half of one
        sys.exit(f"{args.file}: {error}")
    finally:
        if sys.stderr.isatty() and runs:
            print(file=sys.stderr)
        agentlogsafe.end_streams()  # at the latest when the process ends, but before its handlers are closed
        logging.shutdown()
    print(f"{runs} runs, {messages} messages: {args.output}")


def configure(output: Path, seal: str) -> None:
    """Configure logging as any application does; all that is special is the formatter."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "audit": {
                    "()": agentlogsafe.AuditFormatter,
                    "workflow_name": "replay",
                    "seal": seal,
                    # Keep what was said whole. By default, lines stay below the 16 KB at which Docker splits them.
                    "limits": {"line": 10_000_000, "string": 10_000_000, "items": 100_000},
                },
            },
            "handlers": {
                "file": {
                    "class": "logging.FileHandler",
                    "filename": output,
                    "mode": "w",
                    "encoding": "utf-8",
                    "formatter": "audit",
                },
            },
            "root": {"level": "INFO", "handlers": ["file"]},
        }
    )


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the transcripts in a file; raise ValueError for a line that is none."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                transcript = json.loads(line)
            except ValueError as error:
                msg = f"line {number} is no JSON: {error}"
                raise ValueError(msg) from error
            messages = transcript.get("messages") if isinstance(transcript, dict) else None
            if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
                msg = f"line {number} is no transcript: expected an object with a list of messages"
                raise ValueError(msg)
            yield transcript


def replay(transcript: dict[str, Any]) -> None:
    """Log one transcript as one run."""
    about = {"transcript_id": transcript.get("id"), "reward": transcript.get("reward")}
    with agentlogsafe.run(agent_name="chat-agent", session_id=transcript.get("id"), metadata=about, logger=log):
        for index, message in enumerate(transcript["messages"]):
            replay_message(message, model=transcript.get("model"), metadata={"message_index": index})


def replay_message(message: dict[str, Any], *, model: str | None, metadata: dict[str, Any]) -> None:
    """Log one message; the answer of a model and each tool call in it are events of their own."""
    content = message.get("content")
    match message.get("role"):
        case "system" | "developer":
            log.info("system_instruction", {"instruction": content, "metadata": metadata})
        case "user":
            log.info("user_message", {"message": content, "metadata": metadata})
        case "assistant":
            calls = message.get("tool_calls") or []
            log.info(
                "model_response",
                {"model": model, "response": content, "tool_call_count": len(calls), "metadata": metadata},
            )
            for call in calls:
                function = call.get("function") or {}
                log.info(
                    "tool_call",
                    {
                        "tool_name": function.get("name"),
                        "tool_call_id": call.get("id"),
                        "args": function.get("arguments"),
                        "metadata": metadata,
                    },
                )
        case "tool":
            # It finds its call by the id, and takes the event of that call as parent.
            log.info(
                "tool_result",
                {
                    "tool_name": message.get("name"),
                    "tool_call_id": message.get("tool_call_id"),
                    "result": content,
                    "metadata": metadata,
                },
            )
        case role:
            log.info("custom", {"role": role, "message": content, "metadata": metadata})


if __name__ == "__main__":
    main()
