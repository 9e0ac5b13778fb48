"""The generator: one process that sends the webhooks, takes the replies as a stub of the Graph API, and keeps time."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
from dataclasses import asdict

from benchmarks import page, process
from benchmarks.crowd import Crowd, Options, Snapshot
from benchmarks.figures import Figures, latency
from benchmarks.wire import StubConnection

SIGNED_AHEAD_PER_SECOND = 4_000
START_SECONDS = 60.0
LINGER_SECONDS = 0.3


async def run(options: Options) -> Figures:
    """Wait for the system to be ready, load it, and say what came of it. Raises RuntimeError if it does not start."""
    crowd = Crowd(options)
    stub = await crowd.loop.create_server(
        lambda: StubConnection(crowd.replied), "127.0.0.1", options.stub_port, backlog=1024
    )
    await _ready(options)
    total = options.warm_up + options.seconds
    crowd.sign_ahead(options.messages or int(total * (options.rate or SIGNED_AHEAD_PER_SECOND)))
    gc.freeze()
    gc.disable()
    await asyncio.gather(*(crowd.connect() for _ in range(options.outstanding)))

    crowd.begin()
    warm_at = crowd.loop.time() + options.warm_up
    await crowd.until(lambda: crowd.loop.time() >= warm_at)
    first = crowd.measure()
    end_at = crowd.loop.time() + options.seconds
    await crowd.until(lambda: crowd.loop.time() >= end_at or crowd.quiet)
    last = crowd.snapshot()
    crowd.sending = False
    await crowd.until(lambda: crowd.quiet)
    await asyncio.sleep(LINGER_SECONDS)
    resident = process.resident_bytes(options.pid) if process.alive(options.pid) else 0
    stub.close()
    return _figures(crowd, first, last, resident)


def _figures(crowd: Crowd, first: Snapshot, last: Snapshot, resident: int) -> Figures:
    seconds = last.at - first.at
    replies, acks = last.replies - first.replies, last.acks - first.acks
    messages = acks if crowd.options.mode == "ack" else replies
    return Figures(
        mode=crowd.options.mode,
        seconds=round(seconds, 2),
        sent=crowd.sent,
        replies_per_second=round(replies / seconds, 1),
        acks_per_second=round(acks / seconds, 1),
        bad_acks=crowd.bad_acks + crowd.never_answered,
        lost=crowd.outstanding,
        extra_replies=crowd.extra_replies,
        others_per_second=round((last.others - first.others) / seconds, 1),
        ack=latency(crowd.ack_seconds),
        reply=latency(crowd.reply_seconds),
        late=latency(crowd.late_seconds),
        generator_share=round((last.own_cpu - first.own_cpu) / seconds, 3),
        system_us_per_message=round((last.system_cpu - first.system_cpu) / messages * 1e6, 1) if messages else 0.0,
        resident_mb=round(resident / 1e6, 1),
    )


async def _ready(options: Options) -> None:
    """Ask the system until it says 200 at its readiness page."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + START_SECONDS
    while loop.time() < give_up and process.alive(options.pid):
        if await _ready_status(options.port) == b"200":
            return
        await asyncio.sleep(0.1)
    raise RuntimeError("the system under test ended or was not ready in time")


async def _ready_status(port: int) -> bytes:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return b""
    try:
        writer.write(f"GET {page.READY_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        return (await reader.read(64))[9:12]
    except OSError:
        return b""
    finally:
        writer.close()


def _options(argv: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("mode", choices=["sat", "rate", "ack"])
    parser.add_argument("--port", type=int, required=True, help="where the system listens")
    parser.add_argument("--stub-port", type=int, required=True, help="where the stub listens")
    parser.add_argument("--pid", type=int, required=True, help="the system's process")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--warm-up", type=float, default=2.0)
    parser.add_argument("--outstanding", type=int, default=64, help="webhooks in flight at most, and connections")
    parser.add_argument("--rate", type=float, default=0.0, help="webhooks a second in open loop")
    parser.add_argument("--messages", type=int, default=0, help="stop after so many, whatever the time")
    parser.add_argument("--others", action="store_true", help="people who never wrote get messages, too")
    options = Options(**vars(parser.parse_args(argv)))
    if (options.mode == "rate") != (options.rate > 0):
        parser.error("--rate belongs to the mode 'rate', and to no other")
    return options


def main(argv: list[str] | None = None) -> int:
    """Run once on the generator's core and write the figures as one line of JSON."""
    options = _options(argv)
    os.sched_setaffinity(0, {process.cores()[0]})
    try:
        figures = asyncio.run(run(options))
    except (RuntimeError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(asdict(figures)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
